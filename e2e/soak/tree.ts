import { createServer } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandOf, isAlive, waitFor } from '../src/processes.js';
import { type Server, startCommand } from '../src/topology.js';
import type { Excuse } from './judge.js';

/** A tree that is started again whenever it is killed, at the same address. */
export interface TreeSpec {
  readonly name: string;
  readonly args: readonly string[];
  /** Watchers with their numbers of workers. */
  readonly watchers: Readonly<Record<string, number>>;
  /** Trees whose clients notice what happens here. */
  readonly feeds: readonly string[];
  /** Where `/metrics` is. */
  readonly metricsUrl: string;
}

interface Slot {
  readonly watcher: string;
  readonly workerId: number;
}

/** More than five crashes of a worker in a minute are a crash loop, which is another story. */
const MOST_KILLS_PER_MINUTE = 4;

/** One tree of the soak with all that it was and did. */
export class SoakTree {
  readonly servers: Server[] = [];
  readonly counts = { 'kill worker': 0, 'stop worker': 0, reload: 0, 'kill arbiter': 0 };
  /** How long a dead arbiter's processes outlived it at most. */
  longestOrphanMs = 0;
  #isUp = false;
  #isReserved = false;
  readonly #killedAt = new Map<string, number[]>();
  readonly #pending = new Set<Promise<void>>();

  constructor(
    readonly spec: TreeSpec,
    private readonly env: NodeJS.ProcessEnv,
    private readonly excuse: (kind: Excuse['kind'], trees: readonly string[]) => Excuse,
  ) {}

  get server(): Server {
    const server = this.servers.at(-1);
    if (server === undefined) throw new Error(`${this.spec.name} was not started`);
    return server;
  }

  /** Starts it; a port that is still held by the dead one's workers is tried again. */
  async start(): Promise<void> {
    for (let left = 20; ; left -= 1) {
      const server = startCommand([...this.spec.args, '--verbose', '--no-access-log'], this.env);
      this.servers.push(server);
      try {
        await server.printed(/tree is running/, 120_000);
        this.#isUp = true;
        return;
      } catch (error) {
        if (left === 0 || !/address_in_use|already in use/.test(server.output)) throw error;
        this.servers.pop();
        await sleep(250);
      }
    }
  }

  /** Whether it runs; not while it is started again. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Whether it is doing something gentle, which kills would only cut short. */
  get isReserved(): boolean {
    return this.#isReserved;
  }

  /** Kills one worker; false when it had its share. */
  killWorker(at: number): boolean {
    const slot = this.#pickSlot(at);
    const pid = this.#pidOf(slot);
    if (pid === undefined || !this.#mayKill(`${slot.watcher} ${slot.workerId}`)) return false;
    this.counts['kill worker'] += 1;
    const from = this.server.output.length;
    const death = this.excuse('death', [this.spec.name]);
    const isRunner = isOfRunner(slot);
    const down = isRunner ? this.excuse('runner down', [this.spec.name, ...this.spec.feeds]) : undefined;
    process.kill(pid, 'SIGKILL');
    // On a busy machine a killed process needs a while to end; until then its connections look alive.
    this.#later(
      this.#until(linesOf(slot, 'ended'), from).then(() => void (death.untilMs = performance.now())),
    );
    if (down !== undefined) {
      this.#later(
        this.#until(linesOf(slot, 'is ready'), from).then(() => void (down.untilMs = performance.now())),
      );
    }
    return true;
  }

  /** Asks one worker to end, as a foreign hand would, once all are ready; excuses nothing that is lost. */
  stopWorker(at: number): boolean {
    const slot = this.#pickSlot(at);
    return this.#gently('stop worker', async () => {
      const pid = this.#pidOf(slot);
      if (pid === undefined) return;
      const from = this.server.output.length;
      // It is the only one: until the next is ready its callers wait, but not for ever.
      const isRunner = isOfRunner(slot);
      const down = isRunner ? this.excuse('runner down', [this.spec.name, ...this.spec.feeds]) : undefined;
      process.kill(pid, 'SIGTERM');
      await this.#until(linesOf(slot, 'is ready'), from);
      if (down !== undefined) down.untilMs = performance.now();
    });
  }

  /** Asks for a rolling restart, once all are ready; excuses nothing. */
  reload(): boolean {
    return this.#gently('reload', async () => {
      const from = this.server.output.length;
      this.server.signal('SIGHUP');
      await this.#until(/tree is reloading[^]*tree is running/, from);
    });
  }

  /** Kills the arbiter alone, waits until all of the tree is gone, and starts it again. */
  killArbiter(): boolean {
    this.#isUp = false;
    this.counts['kill arbiter'] += 1;
    this.server.pids();
    const excuses = [this.excuse('down', [this.spec.name]), this.excuse('runner down', this.spec.feeds)];
    this.server.signal('SIGKILL');
    this.#later(this.#comeBack(excuses));
    return true;
  }

  /** Waits for all that the strikes set going. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async #comeBack(excuses: readonly Excuse[]): Promise<void> {
    const server = this.server;
    const killedAtMs = performance.now();
    const left = await server.survivors();
    if (left.length > 0) throw new Error(`${this.spec.name}: outlived the arbiter:\n${left.join('\n')}`);
    this.longestOrphanMs = Math.max(this.longestOrphanMs, performance.now() - killedAtMs);
    this.#killedAt.clear();
    await this.start();
    for (const excuse of excuses) excuse.untilMs = performance.now();
  }

  #gently(kind: 'stop worker' | 'reload', work: () => Promise<void>): boolean {
    this.#isReserved = true;
    const whole = async (): Promise<void> => {
      const { server } = this;
      const isTime = (): boolean => isCalm(server.output) || !isAlive(server.pid);
      await waitFor(`${this.spec.name}: all workers ready before '${kind}'`, isTime, 120_000);
      if (!isAlive(server.pid)) return;
      this.counts[kind] += 1;
      await work();
    };
    this.#later(whole().finally(() => (this.#isReserved = false)));
    return true;
  }

  /** Waits until the arbiter says a line, or is killed itself. */
  async #until(line: RegExp, from: number): Promise<void> {
    const { server } = this;
    const isOver = (): boolean => line.test(server.output.slice(from)) || !isAlive(server.pid);
    await waitFor(`${this.spec.name}: ${line}`, isOver, 120_000);
  }

  #pickSlot(at: number): Slot {
    const slots = Object.entries(this.spec.watchers).flatMap(([watcher, count]) =>
      Array.from({ length: count }, (_, index) => ({ watcher, workerId: index + 1 })),
    );
    const slot = slots[Math.floor(at * slots.length)];
    if (slot === undefined) throw new Error(`${this.spec.name} has no workers`);
    return slot;
  }

  #pidOf({ watcher, workerId }: Slot): number | undefined {
    return this.server.workers(watcher).find((pid) => commandOf(pid).trim().endsWith(` ${workerId}`));
  }

  #mayKill(slot: string): boolean {
    const now = performance.now();
    const recent = (this.#killedAt.get(slot) ?? []).filter((atMs) => now - atMs < 60_000);
    if (recent.length >= MOST_KILLS_PER_MINUTE) return false;
    this.#killedAt.set(slot, [...recent, now]);
    return true;
  }

  #later(work: Promise<void>): void {
    const kept = work.finally(() => this.#pending.delete(kept));
    this.#pending.add(kept);
    // Whoever waits for it learns of a failure; until then it is nobody's.
    kept.catch(() => undefined);
  }
}

/** Whether calls of a runner go through this worker, and through no other one beside it. */
function isOfRunner({ watcher }: Slot): boolean {
  return /^(runner|dispatcher):/.test(watcher);
}

/** What an arbiter says about a worker, with or without its process id. */
function linesOf({ watcher, workerId }: Slot, words: string): RegExp {
  return new RegExp(`worker ${workerId} of ${watcher}(?: \\(pid \\d+\\))? ${words}`);
}

/** Whether each worker that an arbiter ever started has one ready process and no other. */
function isCalm(output: string): boolean {
  const slots = new Map<string, Map<string, string>>();
  const events = /event=worker-(started|ready|draining|exited) .*?watcher=(\S+) worker=(\d+) .*?pid=(\d+)/g;
  for (const [, event = '', watcher, worker, pid = ''] of output.matchAll(events)) {
    const processes = slots.get(`${watcher} ${worker}`) ?? new Map<string, string>();
    slots.set(`${watcher} ${worker}`, processes);
    if (event === 'exited') processes.delete(pid);
    else processes.set(pid, event);
  }
  return [...slots.values()].every((processes) => [...processes.values()].join() === 'ready');
}

/** A port that nobody has, below those that the system gives to clients: one of them could take it while a tree is away. */
export async function findPort(): Promise<number> {
  for (let left = 50; left > 0; left -= 1) {
    const port = 10_000 + Math.floor(20_000 * Math.random());
    const server = createServer();
    try {
      const listening = once(server, 'listening');
      server.listen(port, '127.0.0.1');
      await listening;
      return port;
    } catch {
      continue;
    } finally {
      server.close();
    }
  }
  throw new Error('no free port');
}

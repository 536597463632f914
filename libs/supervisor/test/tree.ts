import { type ChildProcess, fork, type ForkOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  BoundSocket,
  Plan,
  StopReport,
  SupervisorEvent,
  TreeStatus,
  WatcherSpec,
} from '../src/index.js';

/** The file of a worker in this folder. */
export const fixture = (name: string): string => join(import.meta.dirname, name);

/** A plan of one socket and one watcher of `http-worker.mjs`. */
export function httpPlan(
  watcher: Partial<WatcherSpec> = {},
  socket: Partial<Plan['sockets'][number]> = {},
): Plan {
  const entry = fixture('http-worker.mjs');
  return {
    name: 'test',
    sockets: [{ name: 'http', ...socket }],
    watchers: [{ name: 'web', entry, numProcesses: 2, sockets: ['http'], graceMs: 8000, ...watcher }],
  };
}

/** A path for a unix socket that nobody else has. */
export function socketPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'supervisor-')), 'test.sock');
}

type EventOf<T extends SupervisorEvent['type']> = Extract<SupervisorEvent, { type: T }>;
type Message = {
  event?: SupervisorEvent;
  /** When the event happened, ms since 1970, by the arbiter. */
  at?: number;
  sockets?: BoundSocket[];
  error?: { code: string; message: string };
  report?: StopReport;
  id?: number;
  value?: unknown;
};

/** What the tree is given besides its plan; with `replan` a reload takes the newest one that `ask('plan', …)` gave. */
interface TreeOptions {
  metrics?: boolean;
  replan?: boolean;
  listenFds?: Record<string, number>;
}

const running = new Set<Tree>();

/** An arbiter in a process of its own, as operators have it. */
export class Tree {
  readonly events: SupervisorEvent[] = [];
  /** When they happened in the arbiter, ms since 1970; a test that is held up learns of them late. */
  readonly times = new Map<SupervisorEvent, number>();
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  report: StopReport | undefined;
  startError: { code: string; message: string } | undefined;
  sockets: readonly BoundSocket[] = [];
  readonly #onMessage = new Set<(message: Message) => void>();
  #lastId = 0;

  constructor(plan: Plan, options: TreeOptions = {}, forkOptions: ForkOptions = {}) {
    this.child = fork(fixture('tree-main.mjs'), [JSON.stringify(plan), JSON.stringify(options)], {
      execArgv: [],
      ...forkOptions,
    });
    // The last messages are read before the channel is closed, which may be after the exit.
    const disconnected = once(this.child, 'disconnect');
    this.exited = once(this.child, 'exit').then(async ([code]) => {
      await disconnected;
      return typeof code === 'number' ? code : null;
    });
    this.child.on('message', (message: Message) => {
      if (message.event !== undefined) {
        this.events.push(message.event);
        this.times.set(message.event, message.at ?? 0);
      }
      if (message.report !== undefined) this.report = message.report;
      if (message.sockets !== undefined) this.sockets = message.sockets;
      if (message.error !== undefined && message.id === undefined) this.startError = message.error;
      for (const take of [...this.#onMessage]) take(message);
    });
    running.add(this);
    void this.exited.then(() => running.delete(this));
  }

  /** Starts a tree and waits until it is ready. */
  static async start(plan: Plan, options: TreeOptions = {}, forkOptions: ForkOptions = {}): Promise<Tree> {
    const tree = new Tree(plan, options, forkOptions);
    await tree.until(() => (tree.sockets.length > 0 || tree.startError !== undefined ? true : undefined));
    if (tree.startError !== undefined) throw new Error(`the tree did not start: ${tree.startError.message}`);
    return tree;
  }

  get port(): number {
    const address = this.sockets[0]?.address;
    return address !== undefined && 'port' in address ? address.port : 0;
  }

  /** Resolves with what `look` finds, now or after one of the next messages. */
  until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        this.#onMessage.delete(check);
        resolve(found);
      };
      this.#onMessage.add(check);
      check();
    });
  }

  /** The `count`th event of a type that passes. */
  event<T extends SupervisorEvent['type']>(
    type: T,
    passes: (event: EventOf<T>) => boolean = () => true,
    count = 1,
  ): Promise<EventOf<T>> {
    const isOne = (event: SupervisorEvent): event is EventOf<T> => event.type === type;
    return this.until(() => this.events.filter(isOne).filter(passes)[count - 1]);
  }

  async ask(question: 'status'): Promise<TreeStatus>;
  async ask(question: 'stop' | 'reload' | 'restart' | 'throw' | 'plan', ...args: unknown[]): Promise<void>;
  async ask(
    question: 'setNumProcesses' | 'changeNumProcesses' | 'signal',
    ...args: unknown[]
  ): Promise<number>;
  async ask(question: string, ...args: unknown[]): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const take = (message: Message): void => {
        if (message.id !== id) return;
        this.#onMessage.delete(take);
        if (message.error === undefined) resolve(message.value);
        else reject(new Error(JSON.stringify(message.error)));
      };
      this.#onMessage.add(take);
      void this.exited.then(() => reject(new Error('the tree ended without an answer')));
      this.child.send({ ask: question, args, id });
    });
  }

  /** When an event happened in the arbiter, ms since 1970. */
  atMs(event: SupervisorEvent): number {
    return this.times.get(event) ?? NaN;
  }

  /** Ms in the arbiter from one event to another. */
  msBetween(first: SupervisorEvent, second: SupervisorEvent): number {
    return this.atMs(second) - this.atMs(first);
  }

  /** Process ids of the workers that are alive, by worker number. */
  async pids(): Promise<number[]> {
    const { watchers } = await this.ask('status');
    return watchers.flatMap((watcher) => watcher.workers.flatMap(({ pid }) => pid ?? []));
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Every process that the tree ever had, as far as it told. */
  get everyPid(): number[] {
    return this.events.flatMap((event) => (event.type === 'worker-started' ? (event.pid ?? []) : []));
  }
}

/** For `afterEach`: ends trees that a failed test left, so that the next test starts clean. */
export async function endTrees(): Promise<void> {
  for (const tree of running) {
    tree.kill('SIGKILL');
    await tree.exited;
  }
}

/** Whether a process runs; one that is dead and not reaped does not. */
export function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Whether a process was stopped by SIGSTOP, which may take a while. */
export function isStopped(pid: number): boolean {
  return /^\d+ \(.*\) T /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

/** Polls what no event tells. Resolves to the time it took; rejects after `limitMs`. */
export async function eventually(holds: () => boolean | Promise<boolean>, limitMs = 30_000): Promise<number> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`it did not happen within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return performance.now() - startedAt;
}

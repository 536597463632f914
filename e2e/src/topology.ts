import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childrenOf, commandOf, descendantsOf, isAlive, waitFor } from './processes.js';

/** The workspace, where every command is typed. */
export const workspace = fileURLToPath(new URL('../..', import.meta.url));
const bentots = fileURLToPath(new URL('../../apps/cli/bin/bentots.mjs', import.meta.url));

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** A `bentots` command that runs. */
export class Server {
  readonly #child: ChildProcess;
  readonly #seen = new Set<number>();
  readonly ended: Promise<Ended>;
  output = '';

  /** `fds` are handed to it as descriptors 3, 4, … */
  constructor(
    program: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    fds: readonly number[] = [],
  ) {
    this.#child = spawn(program, args, {
      cwd: workspace,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...fds],
    });
    const collect = (chunk: Buffer): void => void (this.output += chunk.toString());
    this.#child.stdout?.on('data', collect);
    this.#child.stderr?.on('data', collect);
    this.ended = once(this.#child, 'close').then(([code, signal]) => ({ code, signal, output: this.output }));
    running.add(this);
  }

  /** Process id of the arbiter. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the command did not start');
    return this.#child.pid;
  }

  /** Waits until the output matches; fails with the output when the command ends first. */
  async printed(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpMatchArray> {
    const match = await waitFor(
      `${pattern} in the output:\n${this.output}`,
      () => {
        if (this.#child.exitCode !== null && !pattern.test(this.output)) {
          throw new Error(`ended with ${this.#child.exitCode} before it printed ${pattern}:\n${this.output}`);
        }
        return this.output.match(pattern) ?? undefined;
      },
      timeoutMs,
    );
    this.pids();
    return match;
  }

  /** Process ids of a watcher's workers now: `http_api`, `grpc_api`, `runner:matmul`; it stands in their process title. */
  workers(watcher: string): number[] {
    return childrenOf(this.pid).filter((pid) => commandOf(pid).includes(` ${watcher} `));
  }

  /** All processes of the tree now; remembered, so that {@link survivors} can tell whom it left behind. */
  pids(): number[] {
    const pids = [this.pid, ...descendantsOf(this.pid)];
    for (const pid of pids) this.#seen.add(pid);
    return pids;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops the tree as an operator does, and says how it ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (isAlive(this.pid)) this.pids();
    this.signal(signal);
    return this.ended;
  }

  /** Processes of this tree that outlive it; waits a moment for those that are just ending. */
  async survivors(): Promise<string[]> {
    const alive = (): number[] => [...this.#seen].filter(isAlive);
    await waitFor('the tree to end', () => alive().length === 0, 5_000).catch(() => undefined);
    return alive().map((pid) => `${pid} ${commandOf(pid)}`);
  }

  /** Ends everything at once; for the end of a test that failed. */
  kill(): void {
    for (const pid of [...this.pids(), ...this.#seen]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    running.delete(this);
  }
}

const running = new Set<Server>();

/** Starts `bentots ARGS…`, as a user types it in the workspace. */
export function startCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}): Server {
  return new Server(process.execPath, [bentots, ...args], env);
}

/** Starts `bentots ARGS…` as systemd does for a socket unit: only the process itself knows what LISTEN_PID is. */
export function startActivated(args: readonly string[], names: string, fds: readonly number[]): Server {
  const script = 'LISTEN_PID=$$ exec "$0" "$@"';
  const env = { LISTEN_FDS: String(fds.length), LISTEN_FDNAMES: names };
  return new Server('/bin/sh', ['-c', script, process.execPath, bentots, ...args], env, fds);
}

/** Runs `bentots ARGS…` to its end. */
export function runCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return startCommand(args, env).ended;
}

/** A server that is ready, and where. */
export interface Ready {
  readonly server: Server;
  /** `http://127.0.0.1:4711`, as the start line says it. */
  readonly url: string;
}

/** Starts a server and waits for its start line. */
export async function startServer(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ready> {
  const server = startCommand(args, env);
  const [, url] = await server.printed(/ready on (\w+:\/\/\S+)/);
  if (url === undefined) throw new Error('unreachable');
  return { server, url };
}

/** Stops what a test started, last first, and fails when anything outlives its tree. */
export async function stopAll(): Promise<void> {
  const left: string[] = [];
  for (const server of [...running].reverse()) {
    await server.stop();
    left.push(...(await server.survivors()));
    server.kill();
  }
  if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const workspace = fileURLToPath(new URL('../../../..', import.meta.url));

/** A line that a tree printed, and when it came. */
export interface Line {
  readonly text: string;
  /** By `performance.now()`. */
  readonly atMs: number;
}

/** How long anything of a tree may take on a busy machine. */
const LIMIT_MS = 300_000;

/** An arbiter in a process of its own, with its workers. */
export class Tree {
  readonly #child: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #looks = new Set<() => void>();
  #rest = '';
  readonly exited: Promise<number | null>;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, args, { cwd: workspace, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#child.stderr?.on('data', (chunk: Buffer) => this.#read(chunk));
    this.exited = once(this.#child, 'close').then(([code]) => {
      running.delete(this);
      for (const look of [...this.#looks]) look();
      return typeof code === 'number' ? code : null;
    });
    running.add(this);
  }

  /** Everything that it printed. */
  get output(): string {
    return this.#lines.map(({ text }) => text).join('\n');
  }

  /** How many lines it has printed: what comes later is found by {@link printed} from there. */
  get lineCount(): number {
    return this.#lines.length;
  }

  /** The first line from number `from` on that matches, now or when it comes. */
  printed(pattern: RegExp, from = 0): Promise<{ readonly match: RegExpExecArray; readonly atMs: number }> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#looks.delete(look);
        act();
      };
      const look = (): void => {
        for (const { text, atMs } of this.#lines.slice(from)) {
          const match = pattern.exec(text);
          if (match !== null) return settle(() => resolve({ match, atMs }));
        }
        if (!running.has(this)) settle(() => reject(new Error(`ended before ${pattern}:\n${this.output}`)));
      };
      const late = new Error(`${LIMIT_MS} ms without ${pattern}`);
      const timer = setTimeout(
        () => settle(() => reject(new Error(`${late.message}:\n${this.output}`))),
        LIMIT_MS,
      );
      this.#looks.add(look);
      look();
    });
  }

  /** Where it serves a scheme: `http`, `https`, `grpc`, `grpcs`. */
  async url(scheme: string): Promise<string> {
    const { match } = await this.printed(new RegExp(`ready on (${scheme}://\\S+)`));
    return match[1] ?? '';
  }

  /** Process id of a worker, which stands with the watcher's name and the worker's number in its title. */
  worker(watcher: string, workerId: number): number | undefined {
    return childrenOf(this.#child.pid).find((pid) => commandOf(pid).endsWith(` ${watcher} ${workerId}`));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and waits. */
  async stop(): Promise<number | null> {
    this.signal('SIGTERM');
    return this.exited;
  }

  #read(chunk: Buffer): void {
    const atMs = performance.now();
    const lines = (this.#rest + chunk.toString()).split('\n');
    this.#rest = lines.pop() ?? '';
    this.#lines.push(...lines.map((text) => ({ text, atMs })));
    for (const look of [...this.#looks]) look();
  }
}

const running = new Set<Tree>();

/** Ends what a failed bench left. */
export async function endTrees(): Promise<void> {
  await Promise.all([...running].map((tree) => tree.stop()));
}

function childrenOf(parent: number | undefined): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.filter((pid) => {
    // The name in brackets may hold anything; behind it stand state and parent.
    const stat = read(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
  });
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // It ended between the listing and the reading.
  }
}

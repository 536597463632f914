import { readdirSync, readFileSync } from 'node:fs';
import { commandOf, isAlive } from '../src/processes.js';
import type { Memory } from './judge.js';
import type { SoakTree } from './tree.js';

const SAMPLE_MS = 500;
const PAGE_MIB = 4096 / 2 ** 20;

/** Watches the processes of the trees: who ever lived, and how much memory each needs. */
export class Census {
  readonly #memory = new Map<number, { name: string; pid: number; mib: number[] }>();
  readonly #pids = new Set<number>();
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly trees: readonly SoakTree[]) {
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS);
  }

  /** Everybody who ever lived: seen in /proc, or named by an arbiter when it was started. */
  get pids(): ReadonlySet<number> {
    for (const { servers } of this.trees) {
      for (const { output } of servers) {
        for (const [, pid] of output.matchAll(/event=worker-started .*?pid=(\d+)/g))
          this.#pids.add(Number(pid));
      }
    }
    return this.#pids;
  }

  /** Those who live now. */
  get alive(): number[] {
    return [...this.pids].filter(isAlive);
  }

  get memory(): readonly Memory[] {
    return [...this.#memory.values()];
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const { spec, servers } of this.trees) {
      const server = servers.at(-1);
      if (server === undefined || !isAlive(server.pid)) continue;
      for (const pid of server.pids()) {
        this.#pids.add(pid);
        const name = pid === server.pid ? 'arbiter' : workerNameOf(pid);
        if (name !== undefined) this.#weigh(pid, `${spec.name}: ${name}`);
      }
    }
  }

  #weigh(pid: number, name: string): void {
    const memory = this.#memory.get(pid) ?? { name, pid, mib: [] };
    this.#memory.set(pid, memory);
    const mib = residentMib(pid);
    if (mib > 0) memory.mib.push(mib);
  }
}

/** Names of socket files below a folder. */
export function findSocketFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSocket())
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

/** `http_api 1`; undefined for what is no worker, or none yet. */
function workerNameOf(pid: number): string | undefined {
  return /: (\S+ \d+) *$/.exec(commandOf(pid))?.[1];
}

function residentMib(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_MIB;
  } catch {
    return 0; // It ended between the listing and the reading.
  }
}

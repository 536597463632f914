import { readdirSync, readFileSync } from 'node:fs';

/** A dead process is looked at twice, so long apart, before it is taken for an orphan. */
const SETTLE_MS = 100;
const WNOHANG = 1;

/**
 * Does what process 1 has to do and Node does not: takes the exit codes of orphans from now on, so that they do not stay as
 * zombies. In any other process it does nothing. `warn` is told when it cannot be done.
 */
export function reapAsProcess1(warn: (message: string) => void): void {
  if (process.pid !== 1) return;
  reapOrphans().catch((error: unknown) => {
    const why = String(error);
    warn(`this is process 1, and orphans cannot be reaped: start it under an init (tini -g); ${why}`);
  });
}

async function reapOrphans(): Promise<void> {
  // An optional package, loaded only where it is needed: the system call is all that Node lacks.
  // eslint-disable-next-line @nx/enforce-module-boundaries -- the rule does not read optionalDependencies
  const { default: koffi } = await import('koffi');
  const waitpid = koffi.load(null).func('int waitpid(int pid, void *status, int options)');
  const reaper = new Reaper((pid) => void waitpid(pid, null, WNOHANG));
  process.on('SIGCHLD', () => reaper.wake());
  reaper.wake();
}

class Reaper {
  #seen: ReadonlySet<number> = new Set();
  #isAwake = false;

  constructor(private readonly reap: (pid: number) => void) {}

  /** Somebody has died. */
  wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    setTimeout(() => this.#look(), SETTLE_MS).unref();
  }

  /** Node takes the exit codes of its own children in each turn of its loop: who is left after that is not its own. */
  #look(): void {
    this.#isAwake = false;
    const dead = findZombies(process.pid);
    for (const pid of dead) if (this.#seen.has(pid)) this.reap(pid);
    this.#seen = new Set(dead.filter((pid) => !this.#seen.has(pid)));
    if (dead.length > 0) this.wake();
  }
}

function findZombies(parent: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => isZombieOf(parent, pid));
}

function isZombieOf(parent: number, pid: number): boolean {
  try {
    // The name in brackets may hold anything, brackets too.
    const [state, ppid] = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return state === 'Z' && Number(ppid) === parent;
  } catch {
    return false;
  }
}

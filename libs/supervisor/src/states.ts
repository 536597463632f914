/** For each state, the states that may follow it. */
export type Moves<S extends string> = Readonly<Record<S, readonly S[]>>;

/**
 * The life of one process: `starting` until it says that it is ready, `draining` from the request to stop,
 * `exited` when the system says so.
 */
export type ProcessState = 'starting' | 'ready' | 'draining' | 'exited';

/** Allowed moves of a process. */
export const PROCESS_MOVES: Moves<ProcessState> = {
  starting: ['ready', 'draining', 'exited'],
  ready: ['draining', 'exited'],
  draining: ['exited'],
  exited: [],
};

/**
 * The life of one worker number, process after process: `held` waits to see whether the whole tree is being stopped
 * from outside, `backing-off` waits before the next try, `crash-looping` does so over the restart limit.
 */
export type WorkerState =
  'stopped' | 'starting' | 'ready' | 'draining' | 'held' | 'backing-off' | 'crash-looping' | 'failed';

/** Allowed moves of a worker. */
export const WORKER_MOVES: Moves<WorkerState> = {
  stopped: ['starting'],
  starting: ['ready', 'draining', 'held', 'backing-off', 'crash-looping', 'failed', 'stopped'],
  ready: ['draining', 'held', 'backing-off', 'crash-looping', 'stopped'],
  // `ready`: its successor is, though it still finishes.
  draining: ['ready', 'held', 'backing-off', 'crash-looping', 'stopped'],
  held: ['starting', 'stopped'],
  'backing-off': ['starting', 'stopped'],
  'crash-looping': ['starting', 'stopped'],
  failed: ['stopped'],
};

/** The life of a whole tree. */
export type TreeState =
  'new' | 'starting' | 'running' | 'reloading' | 'lame-duck' | 'stopping' | 'stopped' | 'failed';

/** Allowed moves of a tree; `failed` is a stopped tree that nobody asked to stop. */
export const TREE_MOVES: Moves<TreeState> = {
  new: ['starting', 'stopped'],
  starting: ['running', 'stopping'],
  running: ['reloading', 'lame-duck', 'stopping'],
  reloading: ['running', 'lame-duck', 'stopping'],
  'lame-duck': ['stopping'],
  stopping: ['stopped', 'failed'],
  stopped: [],
  failed: [],
};

/** A word, its allowed moves, and one way to change it. */
export class StateBox<S extends string> {
  #state: S;

  /** `onMove` is told each new state, after the move. */
  constructor(
    private readonly name: string,
    private readonly moves: Moves<S>,
    initial: S,
    private readonly onMove: (state: S, from: S) => void = () => undefined,
  ) {
    this.#state = initial;
  }

  get state(): S {
    return this.#state;
  }

  /** Whether the state is one of `states`. */
  is(...states: readonly S[]): boolean {
    return states.includes(this.#state);
  }

  /** The only way to change the state; a move that the table lacks is a mistake of ours, and throws. */
  setState(next: S): void {
    const from = this.#state;
    if (!this.moves[from].includes(next)) {
      const allowed = this.moves[from].join(', ') || 'nothing';
      throw new Error(`${this.name} cannot go from '${from}' to '${next}'; '${from}' allows ${allowed}`);
    }
    this.#state = next;
    this.onMove(next, from);
  }
}

/** What a watcher's workers amount to. */
export type WatcherState = 'stopped' | 'starting' | 'active' | 'degraded' | 'crash-looping' | 'stopping';

/** The state of a watcher, from those of its workers and from what was last asked of it. */
export function watcherStateOf(asked: 'start' | 'stop', workers: readonly WorkerState[]): WatcherState {
  const all = (...states: readonly WorkerState[]) => workers.every((worker) => states.includes(worker));
  if (all('stopped', 'failed')) return 'stopped';
  if (asked === 'stop') return 'stopping';
  if (all('ready')) return 'active';
  if (workers.includes('crash-looping')) return 'crash-looping';
  return all('starting') ? 'starting' : 'degraded';
}

import { connect } from 'node:net';
import type { WorkerPool } from '@bentots/batching';
import { ServeError } from '@bentots/errors';
import { ClientConnection } from '@bentots/runner-wire';
import type { RunnerMethodSpec } from '@bentots/service';
import type { Logger } from '@bentots/telemetry';

/** One process that holds the model, as its dispatcher sees it. */
export interface RunnerWorker {
  readonly id: number;
  readonly generation: number;
  readonly connection: ClientConnection;
  /** Calls that run in it now. */
  running: number;
  /** Those of them that block its thread. */
  blocking: number;
  /** The same, by method. */
  readonly runningOf: Map<string, number>;
}

/** What is known of the calls of a method. */
export type CallShape = Pick<RunnerMethodSpec, 'concurrency' | 'blocks'>;

/** What {@link RunnerWorkers} needs to know. */
export interface RunnerWorkersInit {
  readonly runner: string;
  /** The private socket of the workers. */
  readonly path: string;
  readonly log: Logger;
  /** There may be a free worker where there was none. */
  onFree(): void;
}

const FIRST_PAUSE_MS = 10;
const MAX_PAUSE_MS = 500;

/**
 * One connection to each worker that is ready. How many there are is told by the arbiter, which also hands each new
 * connection to the worker that has the fewest.
 */
export class RunnerWorkers {
  /** Resolves when a first worker can be called. */
  readonly connected: Promise<void>;
  readonly #init: RunnerWorkersInit;
  readonly #workers = new Set<RunnerWorker>();
  #isConnected: () => void = () => undefined;
  #wanted = 0;
  #connecting = 0;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(init: RunnerWorkersInit) {
    this.#init = init;
    this.connected = new Promise((resolve) => (this.#isConnected = resolve));
  }

  /** Workers that calls can be given to. */
  get size(): number {
    let size = 0;
    for (const { connection } of this.#workers) if (connection.isAccepting) size += 1;
    return size;
  }

  /** So many workers are ready. */
  want(count: number): void {
    this.#wanted = count;
    this.#fill();
  }

  /** The workers as the calls of one method see them: `concurrency` of them fit into each that is not blocked. */
  poolOf(method: string, { concurrency, blocks }: CallShape): WorkerPool<RunnerWorker> {
    const roomOf = ({ connection, blocking, runningOf }: RunnerWorker): number =>
      connection.isAccepting && blocking === 0 ? Math.max(0, concurrency - (runningOf.get(method) ?? 0)) : 0;
    const count = (worker: RunnerWorker, change: 1 | -1): void => {
      worker.running += change;
      if (blocks) worker.blocking += change;
      worker.runningOf.set(method, (worker.runningOf.get(method) ?? 0) + change);
    };
    // Asked for with each decision: nothing is made for it.
    const workers = this.#workers;
    const sizeNow = (): number => concurrency * this.size;
    const { onFree } = this.#init;
    return {
      get size() {
        return sizeNow();
      },
      get free() {
        let free = 0;
        for (const worker of workers) free += roomOf(worker);
        return free;
      },
      take() {
        const worker = leastBusy(workers, roomOf);
        if (worker !== undefined) count(worker, 1);
        return worker;
      },
      release(worker) {
        count(worker, -1);
        onFree();
      },
    };
  }

  /** Ends every connection. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    for (const { connection } of this.#workers) connection.destroy();
  }

  #fill(): void {
    if (this.#closed || this.#pause !== undefined) return;
    for (let missing = this.#wanted - this.size - this.#connecting; missing > 0; missing -= 1) {
      void this.#connect();
    }
  }

  async #connect(): Promise<void> {
    this.#connecting += 1;
    try {
      await this.#add();
      this.#failures = 0;
    } catch (error) {
      this.#init.log.debug('no connection to a worker', { error });
      this.#failures += 1;
    } finally {
      this.#connecting -= 1;
    }
    if (this.#failures > 0) this.#fillLater();
  }

  #fillLater(): void {
    if (this.#closed || this.#pause !== undefined) return;
    const pauseMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#pause = setTimeout(
      () => {
        this.#pause = undefined;
        this.#fill();
      },
      pauseMs * (0.5 + Math.random() / 2),
    );
  }

  async #add(): Promise<void> {
    const { runner, path, onFree } = this.#init;
    const connection = new ClientConnection(connect({ path }), {
      runner,
      address: path,
      // The kernel closes the socket of a process that died; a model may compute for longer than any beat.
      heartbeatMs: 0,
    });
    const { worker: id, generation = 0 } = await connection.hello;
    if (this.#closed || this.#has(id, generation)) {
      connection.destroy();
      throw new ServeError('unavailable', `worker ${id} is connected already`);
    }
    const worker: RunnerWorker = {
      id,
      generation,
      connection,
      running: 0,
      blocking: 0,
      runningOf: new Map(),
    };
    this.#workers.add(worker);
    void connection.closed.then(() => {
      this.#workers.delete(worker);
      this.#fill();
    });
    this.#isConnected();
    onFree();
  }

  #has(id: number, generation: number): boolean {
    return [...this.#workers].some((known) => known.id === id && known.generation === generation);
  }
}

function leastBusy(
  workers: ReadonlySet<RunnerWorker>,
  roomOf: (worker: RunnerWorker) => number,
): RunnerWorker | undefined {
  let best: RunnerWorker | undefined;
  for (const worker of workers) {
    if (roomOf(worker) > 0 && (best === undefined || worker.running < best.running)) best = worker;
  }
  return best;
}

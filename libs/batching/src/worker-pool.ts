/** Workers that run batches, one batch each; several dispatchers may share a pool. */
export interface WorkerPool<W> {
  /** Workers there are, busy or not. */
  readonly size: number;
  /** Workers that could take a batch now. */
  readonly free: number;
  /** Hands out a worker; is asked only while {@link free} is above 0. */
  take(): W | undefined;
  /** The batch that `worker` was taken for is over, well or not. */
  release(worker: W): void;
}

/** A pool of the one worker that is this process itself. */
export function createSoleWorker<W>(worker: W): WorkerPool<W> {
  let free = 1;
  return {
    size: 1,
    get free() {
      return free;
    },
    take() {
      free = 0;
      return worker;
    },
    release() {
      free = 1;
    },
  };
}

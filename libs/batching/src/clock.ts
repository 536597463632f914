/** The time that a dispatcher lives in; a test or a simulation brings its own. */
export interface DispatcherClock {
  /** Monotonic milliseconds, with fractions. */
  now(): number;
  /** Milliseconds since 1970, the clock of deadlines. */
  epochNow(): number;
  /** Calls `fn` once after `delayMs`; the result takes it back. */
  after(delayMs: number, fn: () => void): () => void;
  /** Calls `fn` when everything that has arrived by now was read, and every answer so far was written. */
  defer(fn: () => void): void;
}

/** The real time of this process. */
export const systemClock: DispatcherClock = {
  now: () => performance.now(),
  epochNow: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
  // The tick queue runs after the promise callbacks that write answers; the immediate runs after the sockets were
  // read. A batch may then block the loop: what it would have held up has left, what it can take along has come.
  defer(fn) {
    process.nextTick(() => setImmediate(fn));
  },
};

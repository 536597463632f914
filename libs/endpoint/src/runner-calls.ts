import type { CallObserver, CallWatch, RunnerTiming } from '@bentots/service';

/** Calls that are told one by one; the others are only counted. */
const MAX_TOLD = 8;

/** What one runner call took. */
export interface ToldCall {
  readonly runner: string;
  readonly method: string;
  /** As this process saw it, so far. */
  readonly callMs: number;
  /** What the runner said it did; one that failed, or that lives in this process, says nothing. */
  readonly timing: RunnerTiming | undefined;
}

/** Where the time of a request's runner calls went, in milliseconds; the first five add up to `callsMs`. */
export interface RunnerShares {
  readonly queueMs: number;
  readonly batchMs: number;
  readonly inferMs: number;
  /** Calls without what their runner did: the way there and back, and what it took to encode and decode. */
  readonly hopMs: number;
  /** Calls of which the runner said nothing. */
  readonly untoldMs: number;
  /** While at least one call was under way. */
  readonly callsMs: number;
  readonly calls: number;
  /** The first eight. */
  readonly told: readonly ToldCall[];
}

const now = (): number => performance.now();

/**
 * The runner calls of one request, in constant memory however many they are. Time in which several calls are under way
 * is counted once, and shared among all calls by their length: so it always adds up to what the request waited.
 */
export class RunnerCalls implements CallObserver {
  readonly #clock: () => number;
  #calls = 0;
  #open = 0;
  /** Of the open calls. */
  #sumOfStarts = 0;
  #busyMs = 0;
  #busySince = 0;
  #queueMs = 0;
  #batchMs = 0;
  #inferMs = 0;
  #hopMs = 0;
  #untoldMs = 0;
  #told: OneCall[] | undefined;

  /** @param clock milliseconds, never set back. */
  constructor(clock = now) {
    this.#clock = clock;
  }

  /** How many calls began. */
  get size(): number {
    return this.#calls;
  }

  begin(runner: string, method: string): CallWatch {
    const at = this.#clock();
    if (this.#open === 0) this.#busySince = at;
    this.#calls += 1;
    this.#open += 1;
    this.#sumOfStarts += at;
    const call = new OneCall(runner, method, at, (ended) => this.#end(ended));
    this.#told ??= [];
    if (this.#told.length < MAX_TOLD) this.#told.push(call);
    return call;
  }

  /** How the time was shared up to now, that of calls under way among it. */
  shares(): RunnerShares {
    const at = this.#clock();
    const openMs = Math.max(0, this.#open * at - this.#sumOfStarts);
    const untoldMs = this.#untoldMs + openMs;
    const callsMs = this.#busyMs + (this.#open > 0 ? at - this.#busySince : 0);
    const sumMs = this.#queueMs + this.#batchMs + this.#inferMs + this.#hopMs + untoldMs;
    const part = sumMs > 0 ? callsMs / sumMs : 0;
    return {
      queueMs: this.#queueMs * part,
      batchMs: this.#batchMs * part,
      inferMs: this.#inferMs * part,
      hopMs: this.#hopMs * part,
      untoldMs: untoldMs * part,
      callsMs,
      calls: this.#calls,
      told: (this.#told ?? []).map((call) => call.tell(at)),
    };
  }

  #end(call: OneCall): void {
    const at = this.#clock();
    this.#open -= 1;
    // Not the difference of floats when none is left: a trace of it would remain.
    this.#sumOfStarts = this.#open === 0 ? 0 : this.#sumOfStarts - call.startMs;
    if (this.#open === 0) this.#busyMs += at - this.#busySince;
    const { callMs, timing } = call.end(at);
    if (timing === undefined) {
      this.#untoldMs += callMs;
      return;
    }
    const { queueMs, batchMs, inferMs } = timing;
    const toldMs = queueMs + batchMs + inferMs;
    // Another process measured that, and rounded it: it cannot have taken longer than the whole call.
    const part = toldMs > callMs ? callMs / toldMs : 1;
    this.#queueMs += queueMs * part;
    this.#batchMs += batchMs * part;
    this.#inferMs += inferMs * part;
    this.#hopMs += Math.max(0, callMs - toldMs);
  }
}

class OneCall implements CallWatch {
  readonly runner: string;
  readonly method: string;
  readonly startMs: number;
  readonly #onEnd: (call: OneCall) => void;
  #endMs: number | undefined;
  #timing: RunnerTiming | undefined;

  constructor(runner: string, method: string, startMs: number, onEnd: (call: OneCall) => void) {
    this.runner = runner;
    this.method = method;
    this.startMs = startMs;
    this.#onEnd = onEnd;
  }

  timed(timing: RunnerTiming): void {
    this.#timing = timing;
  }

  ended(): void {
    if (this.#endMs === undefined) this.#onEnd(this);
  }

  end(at: number): ToldCall {
    this.#endMs = at;
    return this.tell(at);
  }

  tell(at: number): ToldCall {
    const { runner, method } = this;
    return { runner, method, callMs: (this.#endMs ?? at) - this.startMs, timing: this.#timing };
  }
}

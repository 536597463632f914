import { type Moment, RequestClock, type RequestTiming } from './timing.js';

/** Which of the requests that wait go first. */
export type Priority = 'high' | 'normal' | 'low';

/** What a request gets. */
export interface Answer<O> {
  readonly output: O;
  readonly timing: RequestTiming;
}

/** One piece of a request, small enough for a batch; most requests are one part. */
export class Part<I, O> {
  readonly job: Job<I, O>;
  /** Place among the parts of its request. */
  readonly index: number;
  readonly item: I;
  readonly rows: number;
  readonly bytes: number;
  /** Only parts of one kind go into one batch. */
  readonly kind: string;
  /** A worker was lost with it: it runs once more, in a batch of its own. */
  isSuspect = false;
  /** How many workers said that they had not started it. */
  notStarted = 0;
  /** Its neighbours in the queue, kept by `PartQueue`. */
  isQueued = false;
  before: Part<I, O> | undefined = undefined;
  after: Part<I, O> | undefined = undefined;

  constructor(job: Job<I, O>, index: number, item: I, { rowsOf, bytesOf, kindOf }: JobInit<I, O>) {
    this.job = job;
    this.index = index;
    this.item = item;
    this.rows = rowsOf(item);
    this.bytes = bytesOf(item);
    this.kind = kindOf(item);
  }
}

/** What a {@link Job} is made of. */
export interface JobInit<I, O> {
  /** The request in pieces, in order; at least one. */
  readonly items: readonly I[];
  rowsOf(item: I): number;
  bytesOf(item: I): number;
  kindOf(item: I): string;
  /** Makes one output of several parts' outputs. */
  join(outputs: readonly O[]): O;
  /** Counts up: the order of arrival. */
  readonly order: number;
  readonly priority: Priority;
  readonly arrived: Moment;
  /** When the caller's deadline passes, on the clock of `arrived`; Infinity without one. */
  readonly deadlineAt: number;
  /** Until when it may wait: the method's longest latency. */
  readonly waitUntil: number;
  /** It was let in because it was predicted to be in time; false for one that is to run in any case. */
  readonly isPredicted: boolean;
}

/** One request from its arrival to its answer. It settles once; whatever comes later is dropped. */
export class Job<I, O> {
  readonly parts: readonly Part<I, O>[];
  readonly answer: Promise<Answer<O>>;
  readonly order: number;
  readonly priority: Priority;
  readonly arrived: Moment;
  readonly deadlineAt: number;
  readonly waitUntil: number;
  readonly isPredicted: boolean;
  /** What its time goes to. */
  readonly clock: RequestClock;
  readonly #join: (outputs: readonly O[]) => O;
  readonly #outputs: O[] = [];
  #missing: number;
  #settled = false;
  #resolve: (answer: Answer<O>) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(init: JobInit<I, O>) {
    this.parts = init.items.map((item, index) => new Part(this, index, item, init));
    this.#missing = this.parts.length;
    this.order = init.order;
    this.priority = init.priority;
    this.arrived = init.arrived;
    this.deadlineAt = init.deadlineAt;
    this.waitUntil = init.waitUntil;
    this.isPredicted = init.isPredicted;
    this.clock = new RequestClock(init.arrived);
    this.#join = init.join;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Answered, failed, cancelled or expired: nobody waits for it any more. */
  get settled(): boolean {
    return this.#settled;
  }

  /** When it must leave the queue at the latest. */
  get expiresAt(): number {
    return Math.min(this.deadlineAt, this.waitUntil);
  }

  /** Takes the output of one part; the last one answers the request. */
  complete(part: Part<I, O>, output: O): void {
    if (this.#settled) return;
    this.#outputs[part.index] = output;
    this.#missing -= 1;
    if (this.#missing > 0) return;
    this.#settled = true;
    try {
      const joined = this.parts.length === 1 ? output : this.#join(this.#outputs);
      this.#resolve({ output: joined, timing: this.clock.timing });
    } catch (error) {
      this.#reject(error);
    }
  }

  /** Ends the whole request with `error`, whichever of its parts failed. */
  fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#reject(error);
  }
}

/** Rows of all of `parts`. */
export function sumRows(parts: readonly { readonly rows: number }[]): number {
  return parts.reduce((sum, part) => sum + part.rows, 0);
}

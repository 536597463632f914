import type { ServeError } from '@bentots/errors';

/** One piece of a request, small enough for a batch; most requests are one part. */
export interface Part<I, O> {
  readonly job: Job<I, O>;
  /** Place among the parts of its request. */
  readonly index: number;
  readonly item: I;
  readonly rows: number;
  /** Only parts of one kind go into one batch. */
  readonly kind: string;
}

/** What a {@link Job} is made of. */
export interface JobInit<I, O> {
  /** The request in pieces, in order; at least one. */
  readonly items: readonly I[];
  rowsOf(item: I): number;
  kindOf(item: I): string;
  /** Makes one output of several parts' outputs. */
  join(outputs: readonly O[]): O;
  readonly enqueuedAt: number;
  readonly expiresAt: number;
  /** The error that expiry means: the caller's deadline, or the method's longest latency. */
  expired(): ServeError;
}

/** One request from its arrival to its answer. It settles once; whatever comes later is dropped. */
export class Job<I, O> {
  readonly parts: readonly Part<I, O>[];
  readonly answer: Promise<O>;
  readonly enqueuedAt: number;
  readonly expiresAt: number;
  readonly expired: () => ServeError;
  readonly #join: (outputs: readonly O[]) => O;
  readonly #outputs: O[] = [];
  #missing: number;
  #settled = false;
  #resolve: (output: O) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(init: JobInit<I, O>) {
    this.parts = init.items.map((item, index) => {
      return { job: this, index, item, rows: init.rowsOf(item), kind: init.kindOf(item) };
    });
    this.#missing = this.parts.length;
    this.enqueuedAt = init.enqueuedAt;
    this.expiresAt = init.expiresAt;
    this.expired = init.expired;
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

  /** Takes the output of one part; the last one answers the request. */
  complete(part: Part<I, O>, output: O): void {
    if (this.#settled) return;
    this.#outputs[part.index] = output;
    this.#missing -= 1;
    if (this.#missing > 0) return;
    this.#settled = true;
    try {
      this.#resolve(this.parts.length === 1 ? output : this.#join(this.#outputs));
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

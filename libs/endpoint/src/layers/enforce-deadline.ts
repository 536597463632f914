import type { ServeError } from '@bentots/errors';
import type { Call } from '../call.js';
import type { Layer } from './layer.js';

/** The longest delay of a timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Answers when the work is done, its time is over, or the client went away, whichever is first. In the two latter cases
 * the call's signal is aborted; work that does not listen to it goes on, and nobody waits for it. Work that is done at
 * once looks at the clock itself.
 */
export const enforceDeadline: Layer = (next) => (call) => {
  if (call.inbound.signal.aborted) throw call.cancel();
  if (call.timeoutMs <= 0) throw call.expire();
  const work = next(call);
  if (!(work instanceof Promise)) return work;
  call.work = work;
  return new Promise((resolve, reject) => {
    new Race(call, resolve, reject).start(work);
  });
};

/** The race of one call; one object instead of a closure for every event. */
class Race<R> {
  readonly #call: Call<R>;
  readonly #resolve: (result: R) => void;
  readonly #reject: (error: unknown) => void;
  #isOver = false;
  #isArmed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(call: Call<R>, resolve: (result: R) => void, reject: (error: unknown) => void) {
    this.#call = call;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(work: Promise<R>): void {
    armSoon(this);
    work.then(
      (result) => {
        this.#end();
        this.#resolve(result);
      },
      (error: unknown) => {
        this.#end();
        this.#reject(error);
      },
    );
  }

  /** Begins to listen for the end of the time and of the client. */
  arm(): void {
    if (this.#isOver) return;
    const { signal } = this.#call.inbound;
    const remainingMs = this.#call.remainingMs();
    if (signal.aborted) return this.handleEvent();
    if (remainingMs <= 0) return this.expire();
    this.#isArmed = true;
    signal.addEventListener('abort', this);
    if (remainingMs <= MAX_TIMER_MS) this.#timer = setTimeout(expire, remainingMs, this);
  }

  /** The client's signal was aborted. */
  handleEvent(): void {
    this.#giveUp(this.#call.cancel());
  }

  expire(): void {
    this.#giveUp(this.#call.expire());
  }

  #giveUp(error: ServeError): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#isOver = true;
    if (!this.#isArmed) return;
    clearTimeout(this.#timer);
    this.#call.inbound.signal.removeEventListener('abort', this);
  }
}

interface Armable {
  arm(): void;
}

let unarmed: Armable[] = [];

/**
 * Arms a race when the current turn of the event loop ends. No timer fires and no client goes away before that, so
 * calls that are done by then (no runner, no I/O) save the listener and the timer, most of what a call costs here.
 */
function armSoon(race: Armable): void {
  if (unarmed.push(race) === 1) setImmediate(armAll);
}

function armAll(): void {
  const races = unarmed;
  unarmed = [];
  for (const race of races) race.arm();
}

function expire(race: { expire(): void }): void {
  race.expire();
}

import { ServeError } from '@bentots/errors';
import { withProgress } from './frames/wire-error.js';

/** What the caller is told about calls that end without an answer; `label` names the runner and its address. */
export class ClientErrors {
  readonly #label: string;

  constructor(label: string) {
    this.#label = label;
  }

  /** The deadline came before the answer. */
  late(method: string): ServeError {
    const words = `${this.#label} did not answer '${method}' before the deadline`;
    return new ServeError('deadline_exceeded', words);
  }

  /** The connection takes no new calls. */
  closed(): ServeError {
    const words = `connection to ${this.#label} is closed`;
    return withProgress(new ServeError('unavailable', words), 'not_started');
  }

  /** This side has closed the connection over a call. */
  cut(): ServeError {
    return new ServeError('unavailable', `connection to ${this.#label} was closed`);
  }

  /** The runner does not read what it is sent. */
  congested(pendingBytes: number): ServeError {
    const words = `${pendingBytes} bytes wait to be sent to ${this.#label}`;
    return withProgress(new ServeError('overloaded', words), 'not_started');
  }

  /** The runner has not begun the call before it went away. */
  left(reason: string): ServeError {
    return withProgress(new ServeError('unavailable', `${this.#label} goes away: ${reason}`), 'not_started');
  }

  /** The connection ended after the call was sent. */
  lostWhileRunning(cause: ServeError | undefined): ServeError {
    // A peer that broke the protocol is named as such, and not asked again.
    if (cause?.code === 'protocol_error') return new ServeError('protocol_error', cause.message, { cause });
    const words = `connection to ${this.#label} was lost while the call was running`;
    return withProgress(new ServeError('unavailable', words, { cause }), 'unknown');
  }

  /** The connection ended before the call was sent. */
  lostBefore(cause: ServeError | undefined): ServeError {
    const words = `connection to ${this.#label} was lost before the call was sent`;
    return withProgress(new ServeError('unavailable', words, { cause }), 'not_started');
  }
}

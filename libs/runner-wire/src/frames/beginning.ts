import { PREFACE } from './frame.js';
import { protocolError } from './wire-error.js';

/** Looks at the first bytes of a connection: a client sends a preface, a server frames at once. */
export class Beginning {
  readonly #role: 'client' | 'server';
  readonly #label: string;
  #seen: number;

  /** For this side's role; `label` names the peer. */
  constructor(role: 'client' | 'server', label: string) {
    this.#role = role;
    this.#label = label;
    this.#seen = role === 'server' ? 0 : PREFACE.length;
  }

  /**
   * How many of the bytes are no frames. For the bytes that come before the first frame.
   *
   * @throws ServeError `protocol_error` when the peer speaks another protocol or version.
   */
  skip(chunk: Buffer): number {
    if (this.#role === 'client' && chunk.toString('latin1', 0, 5) === 'HTTP/') {
      throw protocolError(`${this.#label} answers in HTTP; expected a runner server of this project`);
    }
    const taken = Math.min(PREFACE.length - this.#seen, chunk.length);
    for (let i = 0; i < taken; i += 1) this.#check(chunk[i], this.#seen + i);
    this.#seen += taken;
    return taken;
  }

  #check(byte: number | undefined, at: number): void {
    if (byte === PREFACE[at]) return;
    throw protocolError(
      at === 4
        ? `the peer speaks version ${byte} of the wire, this side version ${PREFACE[4]}`
        : 'the peer does not speak the runner wire: its first bytes are not BTS1',
    );
  }
}

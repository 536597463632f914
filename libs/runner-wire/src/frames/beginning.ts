import { ServeError } from '@bentots/errors';
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
   * @throws ServeError `protocol_error` when the peer speaks another protocol or version; `details.speaks` is `http` or
   * `tls` when a server does.
   */
  skip(chunk: Buffer): number {
    const other = this.#role === 'client' ? otherProtocolOf(chunk) : undefined;
    if (other !== undefined) {
      const words = `${this.#label} answers in ${other.toUpperCase()}; expected a runner server of this project`;
      throw new ServeError('protocol_error', words, { details: { speaks: other } });
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

/** What servers that are none of this project's begin with. */
function otherProtocolOf(chunk: Buffer): 'http' | 'tls' | undefined {
  if (chunk.toString('latin1', 0, 5) === 'HTTP/') return 'http';
  // An alert: its type, major version and length. A frame of such a length could be of one type only, which is a call.
  const isAlert = chunk[0] === 0x15 && chunk[1] === 3 && chunk[3] === 0 && chunk[4] === 2;
  return isAlert ? 'tls' : undefined;
}

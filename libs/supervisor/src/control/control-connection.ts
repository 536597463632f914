import type net from 'node:net';
import { ServeError } from '@bentots/errors';
import split from 'split2';
import type { CommandConnection, Commands } from './commands.js';
import type { EventLog } from './event-log.js';
import { CONTROL_LIMITS, type ControlAnswer, type ControlResults } from './protocol.js';
import { type ControlRequest, parseRequest } from './request.js';

/** What is still to be read when the tree ends, or after a quit, has so long. */
const GOODBYE_MS = 1000;

/** One client: lines in, lines out, never more than a bounded number of either. */
export class ControlConnection implements CommandConnection {
  #outstanding = 0;
  #unfollow: (() => void) | undefined;
  /** What is to be done when the answer has been written. */
  #next: (() => void) | undefined;
  #hasEnded = false;

  constructor(
    private readonly socket: net.Socket,
    private readonly commands: Commands,
    private readonly log: EventLog,
  ) {
    socket.once('close', () => this.#unfollow?.());
    socket.on('error', () => socket.destroy());
    const lines = split({ maxLength: CONTROL_LIMITS.lineBytes });
    lines.on('data', (line: string) => this.#onLine(line));
    lines.on('error', () => this.#onTooLong());
    // A client that has said all it wants (`… | nc -U`) still gets its answers.
    lines.on('end', () => {
      this.#hasEnded = true;
      this.#endIfIdle();
    });
    socket.pipe(lines);
  }

  /** Refuses a client; nothing it says is read. */
  static refuse(socket: net.Socket, error: ServeError): void {
    socket.on('error', () => socket.destroy());
    sayGoodbye(socket.resume(), formatFailure(null, error));
  }

  events(last: number, follow: boolean): ControlResults['events'] {
    if (follow) this.#next = () => this.#follow();
    return { events: this.log.last(last) };
  }

  quit(): void {
    this.#next = () => this.close();
  }

  /** What was said is still delivered, if the client reads it. */
  close(): void {
    this.#unfollow?.();
    sayGoodbye(this.socket);
  }

  #onLine(line: string): void {
    if (line.trim() === '' || this.socket.writableEnded) return;
    const request = this.#parse(line);
    if (request === undefined) return;
    if (this.#outstanding < CONTROL_LIMITS.outstanding) {
      void this.#run(request);
      return;
    }
    const message = `${this.#outstanding} commands of this connection are not done yet; wait for one of them`;
    this.#write(formatFailure(request.id, new ServeError('too_many_requests', message)));
  }

  #parse(line: string): ControlRequest | undefined {
    try {
      return parseRequest(line);
    } catch (error) {
      this.#giveUp(ServeError.from(error));
      return undefined;
    }
  }

  async #run(request: ControlRequest): Promise<void> {
    this.#outstanding += 1;
    try {
      const answer = this.commands.run(request, this);
      // Not awaited needlessly: between the last events and the first that is followed, none may happen.
      const result = answer instanceof Promise ? await answer : answer;
      this.#write(formatAnswer({ id: request.id, ok: true, result }));
      this.#next?.();
      this.#next = undefined;
    } catch (error) {
      this.#write(formatFailure(request.id, toKnown(error)));
    } finally {
      this.#outstanding -= 1;
      this.#endIfIdle();
    }
  }

  #onTooLong(): void {
    const message = `a request is longer than ${CONTROL_LIMITS.lineBytes} bytes; a line break ends each`;
    this.#giveUp(new ServeError('invalid_argument', message));
  }

  /** Whoever speaks another language is told so, and not listened to any more. */
  #giveUp(error: ServeError): void {
    if (this.socket.writableEnded) return;
    this.socket.unpipe();
    sayGoodbye(this.socket.resume(), formatFailure(null, error));
  }

  #endIfIdle(): void {
    if (this.#hasEnded && this.#outstanding === 0 && this.#unfollow === undefined) this.socket.end();
  }

  #follow(): void {
    this.#unfollow ??= this.log.follow((event) => this.#write(formatAnswer(event)));
  }

  #write(line: string): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    if (this.socket.writableLength > CONTROL_LIMITS.unreadBytes) this.socket.destroy();
    else this.socket.write(line);
  }
}

/** Ends a connection with the last words read, if the client reads them soon. Keeps no process alive. */
function sayGoodbye(socket: net.Socket, lastWords = ''): void {
  socket.end(lastWords);
  socket.unref();
  setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
}

/** The operator may read what a client of the service may not: the words of an unexpected error. */
function toKnown(error: unknown): ServeError {
  const known = ServeError.from(error);
  if (known.code !== 'internal' || !(known.cause instanceof Error)) return known;
  return new ServeError('internal', known.cause.message);
}

function formatFailure(id: number | string | null, error: ServeError): string {
  return formatAnswer({ id, ok: false, error: error.toJSON() });
}

function formatAnswer(answer: ControlAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

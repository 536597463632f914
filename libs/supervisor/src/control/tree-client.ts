import { once } from 'node:events';
import net from 'node:net';
import { ServeError } from '@bentots/errors';
import split from 'split2';
import {
  type CommandName,
  CONTROL_LIMITS,
  type ControlArguments,
  type ControlResults,
  type TimedEvent,
} from './protocol.js';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: ServeError) => void;
}

/** A connection to the control socket of a running tree. */
export class TreeClient {
  readonly #waiting = new Map<unknown, Waiting>();
  #lastId = 0;
  #onEvent: (event: TimedEvent) => void = () => undefined;
  /** What the tree said about the connection as a whole, before it ended it. */
  #refusal: ServeError | undefined;
  /** Resolves when the connection has ended: the tree is gone, or {@link close} was called. Never rejects. */
  readonly closed: Promise<void>;

  private constructor(
    private readonly path: string,
    private readonly socket: net.Socket,
  ) {
    const lines = split({ maxLength: CONTROL_LIMITS.answerBytes });
    lines.on('data', (line: string) => this.#onLine(line));
    lines.on('error', () => socket.destroy());
    socket.pipe(lines);
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        for (const { reject } of this.#waiting.values()) reject(this.#refusal ?? this.#gone());
        this.#waiting.clear();
        resolve();
      });
    });
  }

  /**
   * Connects. Throws `unavailable` when nobody listens, `permission_denied` when the socket is another user's; the
   * system's error is the cause.
   */
  static async connect(path: string): Promise<TreeClient> {
    const socket = net.connect(path);
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw toConnectError(path, error);
    }
    return new TreeClient(path, socket);
  }

  /**
   * Sends one command. Rejects with what the tree says, `unavailable` when it goes away before it has answered, and
   * `deadline_exceeded` when it does not answer within `limitMs`. @default limitMs none
   */
  request<K extends CommandName>(
    command: K,
    args: ControlArguments[K],
    limitMs?: number,
  ): Promise<ControlResults[K]> {
    const id = ++this.#lastId;
    return new Promise<ControlResults[K]>((resolve, reject) => {
      if (limitMs !== undefined) this.#giveUpAfter(limitMs, id, reject);
      if (this.socket.destroyed) {
        reject(this.#refusal ?? this.#gone());
        return;
      }
      // The answer to a command has the form that the protocol says: both ends are of one version.
      this.#waiting.set(id, { resolve: (result) => resolve(result as ControlResults[K]), reject });
      this.socket.write(`${JSON.stringify({ ...args, id, command })}\n`);
    });
  }

  /** Tells the `last` events that are kept, then every one that happens, until the connection is closed. */
  async follow(last: number, onEvent: (event: TimedEvent) => void): Promise<void> {
    // Events may come in the same piece as the answer: they wait until those before them are told.
    const early: TimedEvent[] = [];
    this.#onEvent = (event) => early.push(event);
    const { events } = await this.request('events', { last, follow: true });
    this.#onEvent = onEvent;
    for (const event of [...events, ...early]) onEvent(event);
  }

  /** Ends the connection. */
  close(): void {
    this.socket.destroy();
  }

  #onLine(line: string): void {
    const answer = parseAnswer(line);
    if (answer === undefined) {
      const message = `what listens at '${this.path}' does not speak the language of control sockets`;
      this.#refusal = new ServeError('protocol_error', message);
      this.socket.destroy();
    } else if ('ok' in answer) {
      this.#onAnswer(answer);
    } else {
      this.#onEvent(answer as TimedEvent); // answers have an `ok`, events have none
    }
  }

  #onAnswer({ id, ok, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (ok === true) waiting?.resolve(result);
    else if (waiting === undefined) this.#refusal = toServeError(error);
    else waiting.reject(toServeError(error));
  }

  #giveUpAfter(limitMs: number, id: number, reject: (error: ServeError) => void): void {
    const timer = setTimeout(() => {
      const message = `the tree at '${this.path}' did not answer within ${limitMs} ms: it is suspended or very busy`;
      if (this.#waiting.delete(id)) reject(new ServeError('deadline_exceeded', message));
    }, limitMs);
    timer.unref();
  }

  #gone(): ServeError {
    return new ServeError(
      'unavailable',
      `the tree at '${this.path}' ended the connection before it answered`,
    );
  }
}

interface Answer {
  readonly id?: unknown;
  readonly ok?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

function parseAnswer(line: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function toServeError(error: unknown): ServeError {
  const fields = typeof error === 'object' && error !== null ? error : {};
  return ServeError.fromJSON({ code: 'internal', message: 'an error without words', ...fields });
}

function toConnectError(path: string, cause: unknown): ServeError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EACCES' || code === 'EPERM') {
    const message = `the control socket '${path}' is another user's; only its owner may use it`;
    return new ServeError('permission_denied', message, { cause });
  }
  const why = code === 'ENOENT' ? 'there is no such socket' : `nobody listens there (${String(code)})`;
  return new ServeError('unavailable', `no tree answers at '${path}': ${why}`, { cause });
}

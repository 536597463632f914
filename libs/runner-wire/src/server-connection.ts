import type { Socket } from 'node:net';
import { ServeError } from '@bentots/errors';
import { readCall } from './payloads/call-payload.js';
import { DeadlineWatch } from './deadline-watch.js';
import { writeValue } from './payloads/encode-values.js';
import { readError, type WireError } from './payloads/error-payload.js';
import { FRAME } from './frames/frame.js';
import type { Hello } from './payloads/hello.js';
import { type CallOwner, type IncomingCall, ServerCall } from './incoming-call.js';
import { compileLimits, type WireLimits } from './frames/limits.js';
import { type ConnectionCounters, Link } from './link.js';
import { protocolError } from './frames/wire-error.js';

/** Options of a {@link ServerConnection}. */
export interface ServerConnectionOptions {
  /** What the client is told first. */
  readonly hello: Hello;
  /** Called for each call. What it throws or rejects with is the call's error. */
  onCall(call: IncomingCall): void | Promise<void>;
  /** Whether calls would be served now; what readiness probes are told. @default always */
  isReady?(): boolean;
  readonly limits?: Partial<WireLimits>;
  /**
   * Silence in milliseconds after which the client is asked whether it lives; 0 or `Infinity`: never. Clients run code
   * of their users, which may hold them up for a while, and a dead one costs little. @default 5000
   */
  readonly heartbeatMs?: number;
  /** Heartbeats in a row without an answer after which the client counts as dead. @default 2 */
  readonly maxMissedBeats?: number;
}

/** How long a client may take to close a connection that goes away; one that is held up loses calls when it is short. */
const FAREWELL_MS = 5000;

/** The runner's end of a connection: takes calls and lets them be answered, in any order. */
export class ServerConnection {
  /** Resolves, never rejects, when the connection is over; to why, unless this side closed it. */
  readonly closed: Promise<ServeError | undefined>;
  readonly #options: ServerConnectionOptions;
  readonly #limits: WireLimits;
  readonly #link: Link;
  readonly #owner: CallOwner;
  readonly #calls = new Map<number, ServerCall>();
  readonly #deadlines = new DeadlineWatch((now) => this.#expire(now));
  #lastCallId = 0;
  #goingAway: string | undefined;
  #idle: (() => void) | undefined;

  constructor(socket: Socket, options: ServerConnectionOptions) {
    this.#options = options;
    this.#limits = compileLimits(options.limits);
    let over: (error: ServeError | undefined) => void = () => undefined;
    this.closed = new Promise((resolve) => (over = resolve));
    this.#link = new Link(socket, {
      role: 'server',
      limits: this.#limits,
      label: `the client of runner '${options.hello.runner}'`,
      heartbeatMs: options.heartbeatMs ?? 5000,
      maxMissedBeats: options.maxMissedBeats ?? 2,
      isReady: () => this.#goingAway === undefined && (options.isReady?.() ?? true),
      onFrame: (type, flags, callId, argument, bytes, start, end) =>
        this.#onFrame(type, flags, callId, argument, bytes, start, end),
      onClosed: (error) => {
        this.#onClosed(error);
        over(error);
      },
    });
    this.#owner = { link: this.#link, settle: (id, failed) => this.#settle(id, failed) };
    this.#link.send(FRAME.hello, 0, 0, 0, (writer) => writeValue(writer, { ...options.hello }));
  }

  /** Calls that are neither answered nor given up. */
  get inFlight(): number {
    return this.#calls.size;
  }

  get counters(): Readonly<ConnectionCounters> {
    return this.#link.counters;
  }

  /** Takes no new calls: the client is told, and late ones are refused so that they can go elsewhere. */
  goAway(reason = 'the runner server is stopping'): void {
    if (this.#goingAway !== undefined || !this.#link.isOpen) return;
    this.#goingAway = reason;
    this.#link.goAway(new ServeError('unavailable', reason), this.#lastCallId);
  }

  /** Goes away, waits for the calls in flight until `signal` aborts, sends what is left and ends the connection. */
  async close(signal?: AbortSignal): Promise<void> {
    this.goAway();
    if (this.#calls.size > 0) await this.#until(signal, (resolve) => (this.#idle = resolve));
    const cut = new ServeError('unavailable', this.#goingAway ?? 'the runner server is stopping');
    for (const call of [...this.#calls.values()]) call.abort(cut, true);
    // The client closes, once it has read the goaway: calls that cross it are still refused by name, where a socket
    // that is closed over them would leave their fate unknown.
    const farewell = setTimeout(() => setImmediate(() => this.#link.end()), FAREWELL_MS);
    await this.#until(signal, (resolve) => void this.closed.then(resolve));
    clearTimeout(farewell);
    this.#link.end();
    await this.closed;
  }

  /** Ends the connection at once; calls in flight are aborted. */
  destroy(error?: ServeError): void {
    this.#link.destroy(error);
  }

  /** Waits for `event` or until `signal` aborts. */
  async #until(signal: AbortSignal | undefined, event: (resolve: () => void) => void): Promise<void> {
    if (signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      event(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #onFrame(
    type: number,
    flags: number,
    callId: number,
    argument: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    switch (type) {
      case FRAME.call:
        return this.#onCall(callId, flags, argument, bytes, start, end);
      case FRAME.cancel:
        this.#link.counters.cancelled += 1;
        return this.#calls.get(callId)?.abort(new ServeError('cancelled', 'the caller gave up'), false);
      case FRAME.credit:
        return this.#calls.get(callId)?.addCredit(argument);
      case FRAME.goaway:
        return this.#onGoAway(readError(bytes, start, end, this.#limits));
      default:
        throw protocolError(`a client may not send a frame of type ${type}`);
    }
  }

  #onCall(id: number, flags: number, timeoutMs: number, bytes: Buffer, start: number, end: number): void {
    if (id <= this.#lastCallId) throw protocolError(`call id ${id} does not rise above ${this.#lastCallId}`);
    const payload = readCall(bytes, start, end, this.#limits);
    const deadline = timeoutMs === 0 ? undefined : Date.now() + timeoutMs;
    const call = new ServerCall(this.#owner, id, flags, deadline, payload);
    this.#calls.set(id, call);
    this.#link.counters.calls += 1;
    if (this.#goingAway !== undefined) return call.refuse(new ServeError('unavailable', this.#goingAway));
    this.#lastCallId = id;
    if (this.#calls.size > this.#limits.maxCallsInFlight) {
      const { runner } = this.#options.hello;
      const full = `runner '${runner}' has ${this.#limits.maxCallsInFlight} calls in flight on one connection`;
      return call.refuse(new ServeError('overloaded', full));
    }
    if (deadline !== undefined) this.#deadlines.add(deadline);
    this.#run(call);
  }

  /** The client leaves, or could not read what this side sent. */
  #onGoAway({ code, message }: WireError): void {
    if (code === 'protocol_error')
      this.#link.destroy(protocolError(`the client refused what was sent: ${message}`));
    else this.#link.end();
  }

  #run(call: ServerCall): void {
    try {
      const running = this.#options.onCall(call);
      running?.catch((error: unknown) => call.fail(error));
    } catch (error) {
      call.fail(error);
    }
  }

  #expire(now: number): number {
    const { runner } = this.#options.hello;
    let next = Infinity;
    for (const call of [...this.#calls.values()]) {
      const { deadline = Infinity, method } = call;
      if (deadline > now) next = Math.min(next, deadline);
      else {
        const words = `runner '${runner}' did not finish '${method}' before the deadline`;
        call.abort(new ServeError('deadline_exceeded', words), true);
      }
    }
    return next;
  }

  #settle(callId: number, failed: boolean): void {
    this.#calls.delete(callId);
    if (failed) this.#link.counters.failed += 1;
    if (this.#calls.size === 0) this.#idle?.();
  }

  #onClosed(error: ServeError | undefined): void {
    this.#deadlines.stop();
    const gone = error ?? new ServeError('unavailable', 'the connection was closed');
    for (const call of [...this.#calls.values()]) call.abort(gone, false);
  }
}

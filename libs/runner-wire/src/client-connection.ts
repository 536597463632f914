import { setMaxListeners } from 'node:events';
import type { Socket } from 'node:net';
import { ServeError } from '@bentots/errors';
import type { HandleCallOptions, RunnerTiming, RunnerValue } from '@bentots/service';
import { ClientErrors } from './client-errors.js';
import { callFlags } from './payloads/call-flags.js';
import { readValue, writeCall } from './payloads/call-payload.js';
import { DeadlineWatch } from './deadline-watch.js';
import { fromWireError, readError } from './payloads/error-payload.js';
import { FLAG, FRAME } from './frames/frame.js';
import { type Hello, readHello } from './payloads/hello.js';
import { compileLimits, type WireLimits } from './frames/limits.js';
import { type ConnectionCounters, Link } from './link.js';
import { type CallSink, type OutgoingCall, ResultSink } from './outgoing-call.js';
import { StreamSink } from './stream-sink.js';
import { readTiming } from './payloads/timing.js';
import { protocolError, withProgress } from './frames/wire-error.js';

/** Options of a {@link ClientConnection}. */
export interface ClientConnectionOptions {
  /** Name of the runner, for messages. */
  readonly runner: string;
  /** Where it is, for messages. */
  readonly address: string;
  /** Called when the connection takes no new calls any more while it still answers those in flight. */
  onGoAway?(): void;
  readonly limits?: Partial<WireLimits>;
  /** Silence in milliseconds after which the runner is asked whether it lives; 0 or `Infinity`: never. @default 2000 */
  readonly heartbeatMs?: number;
  /** Heartbeats in a row without an answer after which the runner counts as dead. @default 2 */
  readonly maxMissedBeats?: number;
}

interface Greeting {
  resolve(hello: Hello): void;
  reject(error: ServeError): void;
}

const MAX_ID = 0xffff_ffff;

/** The caller's end of a connection: many calls at a time, answered in any order. All failures are ServeErrors. */
export class ClientConnection {
  /** Resolves to what the server said first; rejects when the connection ends before. */
  readonly hello: Promise<Hello>;
  /** Resolves, never rejects, when the connection is over; to why, unless this side closed it. */
  readonly closed: Promise<ServeError | undefined>;
  readonly #label: string;
  readonly #runner: string;
  readonly #limits: WireLimits;
  readonly #errors: ClientErrors;
  readonly #leaving: () => void;
  readonly #link: Link;
  readonly #calls = new Map<number, OutgoingCall>();
  readonly #deadlines = new DeadlineWatch((now) => this.#expire(now));
  readonly #greet: Greeting;
  #nextId = 1;
  #greeted = false;
  #accepting = true;
  #idle: (() => void) | undefined;

  constructor(socket: Socket, options: ClientConnectionOptions) {
    this.#runner = options.runner;
    this.#label = `runner '${options.runner}' at ${options.address}`;
    this.#errors = new ClientErrors(this.#label);
    this.#limits = compileLimits(options.limits);
    this.#leaving = () => options.onGoAway?.();
    let greet: Greeting = { resolve: () => undefined, reject: () => undefined };
    this.hello = new Promise((resolve, reject) => (greet = { resolve, reject }));
    this.hello.catch(() => undefined);
    this.#greet = greet;
    let over: (error: ServeError | undefined) => void = () => undefined;
    this.closed = new Promise((resolve) => (over = resolve));
    this.#link = new Link(socket, {
      role: 'client',
      limits: this.#limits,
      label: this.#label,
      heartbeatMs: options.heartbeatMs ?? 2000,
      maxMissedBeats: options.maxMissedBeats ?? 2,
      isReady: () => true,
      onFrame: (type, flags, callId, argument, bytes, start, end) =>
        this.#onFrame(type, flags, callId, argument, bytes, start, end),
      onClosed: (error) => {
        this.#onClosed(error);
        over(error);
      },
    });
  }

  /** Calls that wait for their answer. */
  get inFlight(): number {
    return this.#calls.size;
  }

  /** Whether new calls can be made: neither side has gone away. */
  get isAccepting(): boolean {
    return this.#accepting && this.#link.isOpen;
  }

  get counters(): Readonly<ConnectionCounters> {
    return this.#link.counters;
  }

  /** Calls a method; its arguments must not change until it is settled. */
  call(method: string, args: readonly RunnerValue[], options: HandleCallOptions = {}): Promise<RunnerValue> {
    return new Promise((resolve, reject) => {
      this.#begin(new ResultSink(method, resolve, reject), method, args, options, false);
    });
  }

  /** Calls a streaming method, once it is first read from; leaving the loop early cancels the call. */
  stream(
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions = {},
  ): AsyncIterableIterator<RunnerValue, undefined> {
    const window = this.#limits.streamWindowBytes;
    let id = 0;
    const control = {
      start: (sink: StreamSink) => (id = this.#begin(sink, method, args, options, true)),
      grant: (bytes: number) => this.#calls.has(id) && this.#link.send(FRAME.credit, 0, id, bytes),
      cancel: () => this.#cancel(id),
    };
    return new StreamSink(control, window);
  }

  /** Whether the runner would serve calls now; false when it cannot be known before `signal` aborts. */
  ping(signal: AbortSignal): Promise<boolean> {
    return this.#link.ping(signal);
  }

  /** Makes no new calls, waits for those in flight until `signal` aborts, fails the rest and ends the connection. */
  async close(signal?: AbortSignal): Promise<void> {
    this.#accepting = false;
    if (this.#calls.size > 0 && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    for (const call of [...this.#calls.values()]) {
      this.#cancel(call.id, this.#errors.cut());
    }
    this.#bye();
    await this.closed;
  }

  /** Ends the connection at once; calls in flight fail. */
  destroy(error?: ServeError): void {
    this.#link.destroy(error);
  }

  /** Sends a call; its id, or 0 when it failed at once. */
  #begin(
    sink: CallSink,
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
    stream: boolean,
  ): number {
    const { deadline = Infinity, signal, traceparent, onTiming } = options;
    const refusal = this.#refusal(method, deadline, signal);
    if (refusal !== undefined) {
      sink.fail(refusal);
      return 0;
    }
    const id = this.#nextId;
    const window = stream ? this.#limits.streamWindowBytes : 0;
    const timeoutMs =
      deadline === Infinity ? 0 : Math.min(Math.max(Math.ceil(deadline - Date.now()), 1), MAX_ID);
    try {
      this.#link.send(FRAME.call, callFlags(options, stream), id, timeoutMs, (writer) =>
        writeCall(writer, { method, traceparent, window, args }),
      );
    } catch (error) {
      sink.fail(ServeError.from(error));
      return 0;
    }
    this.#nextId = id + 1;
    // Ids never come back: a late answer cannot meet another call. A connection that used them all is replaced.
    if (id === MAX_ID) this.#leave();
    const onAbort = signal && (() => this.#cancel(id, ServeError.from(signal.reason)));
    const { writes } = this.#link.counters;
    this.#calls.set(id, { id, method, deadline, queuedAt: writes, sink, signal, onAbort, onTiming });
    this.#link.counters.calls += 1;
    if (signal !== undefined && onAbort !== undefined) {
      // One request may make many calls under its one signal; that is no leak to warn of.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', onAbort, { once: true });
    }
    if (deadline !== Infinity) this.#deadlines.add(deadline);
    return id;
  }

  #refusal(method: string, deadline: number, signal: AbortSignal | undefined): ServeError | undefined {
    if (signal?.aborted === true) return ServeError.from(signal.reason);
    if (deadline <= Date.now()) return this.#errors.late(method);
    if (!this.isAccepting) return this.#errors.closed();
    const { pendingBytes } = this.#link;
    if (pendingBytes > this.#limits.maxPendingBytes) return this.#errors.congested(pendingBytes);
    return undefined;
  }

  /** Forgets a call and tells the runner; with an error, the caller learns it. */
  #cancel(id: number, error?: ServeError): void {
    const call = this.#settle(id, true);
    if (call === undefined) return;
    this.#link.counters.cancelled += 1;
    this.#link.send(FRAME.cancel, 0, id, 0);
    if (error !== undefined) call.sink.fail(error);
  }

  #settle(id: number, failed: boolean): OutgoingCall | undefined {
    const call = this.#calls.get(id);
    if (call === undefined) return undefined;
    this.#calls.delete(id);
    if (failed) this.#link.counters.failed += 1;
    if (call.onAbort !== undefined) call.signal?.removeEventListener('abort', call.onAbort);
    if (this.#calls.size === 0) this.#onIdle();
    return call;
  }

  #onIdle(): void {
    this.#idle?.();
    // The runner has gone away, or ids are used up: nothing will come here any more.
    if (!this.#accepting && this.#idle === undefined) setImmediate(() => this.#bye());
  }

  #bye(): void {
    this.#link.goAway(new ServeError('unavailable', 'the client leaves'), 0);
    this.#link.end();
  }

  #onFrame(
    type: number,
    flags: number,
    id: number,
    argument: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    switch (type) {
      case FRAME.result:
        // Answers of calls that were given up are not even decoded.
        if (!this.#calls.has(id)) return undefined;
        return this.#onResult(id, readValue(bytes, start, end, this.#limits));
      case FRAME.chunk:
        return this.#onChunk(id, readValue(bytes, start, end, this.#limits), end - start);
      case FRAME.end:
        return this.#settle(id, false)?.sink.end();
      case FRAME.error:
        return this.#onError(id, flags, bytes, start, end);
      case FRAME.timing:
        return this.#onTiming(id, readTiming(bytes, start, end));
      case FRAME.goaway:
        return this.#onGoAway(argument, bytes, start, end);
      case FRAME.hello:
        return this.#onHello(readHello(bytes, start, end, this.#limits));
      default:
        throw protocolError(`a server may not send a frame of type ${type}`);
    }
  }

  #onResult(id: number, value: RunnerValue): void {
    this.#settle(id, false)?.sink.result(value);
  }

  #onChunk(id: number, value: RunnerValue, bytes: number): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    call.onTiming = undefined;
    call.sink.chunk(value, bytes);
  }

  #onTiming(id: number, timing: RunnerTiming): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const { onTiming } = call;
    if (onTiming === undefined) {
      throw protocolError(`the timing of call ${id} was not asked for, came twice or behind a chunk`);
    }
    call.onTiming = undefined;
    try {
      onTiming(timing);
    } catch (error) {
      // The caller's own fault, which must not cost the other calls of the connection.
      this.#cancel(id, ServeError.from(error));
    }
  }

  #onError(id: number, flags: number, bytes: Buffer, start: number, end: number): void {
    const wire = readError(bytes, start, end, this.#limits);
    const call = this.#settle(id, true);
    if (call === undefined) return;
    const error = fromWireError(wire, this.#runner, call.method);
    call.sink.fail((flags & FLAG.notStarted) === 0 ? error : withProgress(error, 'not_started'));
  }

  #onHello(hello: Hello): void {
    if (this.#greeted) throw protocolError('a server says hello only once');
    this.#greeted = true;
    this.#greet.resolve(hello);
  }

  /** Calls behind the last one that the runner took were not begun; the others go on. */
  #onGoAway(lastCallId: number, bytes: Buffer, start: number, end: number): void {
    const { code, message } = readError(bytes, start, end, this.#limits);
    if (code === 'protocol_error') {
      return this.#link.fail(
        new ServeError('unavailable', `${this.#label} refused the connection: ${message}`),
      );
    }
    this.#link.expectEnd();
    this.#leave();
    for (const { id } of [...this.#calls.values()]) {
      if (id <= lastCallId) continue;
      this.#settle(id, true)?.sink.fail(this.#errors.left(message));
    }
    if (this.#calls.size === 0) this.#onIdle();
  }

  #leave(): void {
    if (!this.#accepting) return;
    this.#accepting = false;
    this.#leaving();
  }

  #expire(now: number): number {
    let next = Infinity;
    for (const { id, method, deadline } of [...this.#calls.values()]) {
      if (deadline <= now) this.#cancel(id, this.#errors.late(method));
      else next = Math.min(next, deadline);
    }
    return next;
  }

  #onClosed(error: ServeError | undefined): void {
    this.#accepting = false;
    this.#deadlines.stop();
    const { writes } = this.#link.counters;
    for (const { id, queuedAt } of [...this.#calls.values()]) {
      const started = writes > queuedAt;
      this.#settle(id, true)?.sink.fail(
        started ? this.#errors.lostWhileRunning(error) : this.#errors.lostBefore(error),
      );
    }
    this.#greet.reject(error ?? this.#errors.lostBefore(error));
  }
}

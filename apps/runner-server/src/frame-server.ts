import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { detectProtocol, type Hello, type IncomingCall, ServerConnection } from '@bentots/runner-wire';
import type { DrainManner } from '@bentots/supervisor/child';
import { Server } from '@nestjs/microservices';
import type { HttpDoor } from './http-door.js';
import { createTlsServer, type FrameTls } from './tls-server.js';

/** What a {@link FrameServer} serves, and on what. */
export interface FrameServerInit {
  readonly hello: Hello;
  answer(call: IncomingCall): Promise<void>;
  isReady(): boolean;
  /** Takes the connections that speak HTTP. */
  readonly http: Pick<HttpDoor, 'adopt' | 'drain'>;
  /** Certificates, and who must show one; absent: plain text. */
  readonly tls?: FrameTls | undefined;
  /** Lets the server have its connections; resolves when it has them. */
  serve(server: NetServer): Promise<void>;
}

/** How long connections that have said nothing yet are waited for when the server stops. */
const UNDECIDED_MS = 5000;
const HURRIED_UNDECIDED_MS = 500;
const CHECK_MS = 20;

/**
 * Nest's transport for the runner wire. Calls go to their method directly: Nest composes and stops this server, but
 * stands in no call's way (its pipeline of observables costs more than the whole hop).
 */
export class FrameServer extends Server {
  readonly #init: FrameServerInit;
  readonly #net: NetServer;
  readonly #undecided = new Set<Socket>();
  readonly #connections = new Set<ServerConnection>();
  /** Set once draining has begun: what gives up the rest. */
  #until: AbortSignal | undefined;

  constructor(init: FrameServerInit) {
    super();
    this.#init = init;
    const welcome = (socket: Socket): void => void this.#welcome(socket);
    // A connection whose handshake goes on has said nothing yet.
    this.#net = init.tls
      ? createTlsServer(init.tls, { welcome, undecided: this.#undecided })
      : createServer({ noDelay: true }, welcome);
  }

  /** Open connections that speak the wire. */
  get connections(): number {
    return this.#connections.size;
  }

  override listen(callback: (error?: unknown) => void): void {
    this.#init.serve(this.#net).then(() => callback(), callback);
  }

  /** Takes no more calls and resolves when those in flight are answered, or were cut off because `signal` aborted. */
  async drain(signal: AbortSignal, manner: DrainManner): Promise<void> {
    this.#until = signal;
    for (const connection of this.#connections) void connection.close(signal);
    await this.#allDecided(signal, manner);
    const wire = [...this.#connections].map((connection) => connection.closed);
    await Promise.all([...wire, this.#init.http.drain(signal, manner)]);
    this.close();
  }

  /** Ends what is left, at once. */
  override close(): void {
    this.#until ??= AbortSignal.abort();
    for (const socket of this.#undecided) socket.destroy();
    for (const connection of this.#connections) connection.destroy();
    if (this.#net.listening) this.#net.close();
  }

  override on(): never {
    throw new Error('the runner wire has no events to listen to');
  }

  override unwrap<T>(): T {
    // Nest leaves the type to its caller: it is the net.Server below.
    return this.#net as T;
  }

  /** What a client has just sent on a new connection may not have been read; who says nothing is not waited for. */
  async #allDecided(signal: AbortSignal, manner: DrainManner): Promise<void> {
    const startedAt = performance.now();
    const limitMs = (): number => (manner.hurry ? HURRIED_UNDECIDED_MS : UNDECIDED_MS);
    while (this.#undecided.size > 0 && !signal.aborted) {
      const waitedMs = performance.now() - startedAt;
      // Judged after the loop has read what has arrived until then.
      await nextTurn();
      if (waitedMs >= limitMs()) return;
      await sleep(CHECK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  async #welcome(socket: Socket): Promise<void> {
    this.#undecided.add(socket);
    const protocol = await detectProtocol(socket);
    this.#undecided.delete(socket);
    if (protocol === 'wire') this.#connect(socket);
    else if (protocol === 'other') this.#init.http.adopt(socket);
  }

  #connect(socket: Socket): void {
    const { hello, answer, isReady } = this.#init;
    const connection = new ServerConnection(socket, { hello, onCall: answer, isReady });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    if (this.#until !== undefined) void connection.close(this.#until);
  }
}

import { connect, type Socket } from 'node:net';
import { parseServerTiming, type ServerTiming } from './server-timing.js';

/** An answer to one request. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  /** What the server says about its time. */
  readonly timing: ServerTiming | undefined;
}

/** A POST of JSON as it goes over the wire. */
export function encodePost(url: string, path: string, body: string, headers: readonly string[] = []): Buffer {
  const { hostname, port } = new URL(url);
  const head = [
    `POST ${path} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** A kept connection with one request at a time: as little work as a client can have, so that it is in no figure. */
export class HttpConnection {
  readonly #socket: Socket;
  #received = '';
  #settle: { resolve(reply: Reply): void; reject(error: Error): void } | undefined;
  #error: Error | undefined;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.on('close', () => this.#end(new Error('the server closed the connection')));
  }

  /** Whether the server has gone away. */
  get isClosed(): boolean {
    return this.#error !== undefined;
  }

  /** Sends a whole request and resolves to its answer; answers must announce their length. */
  ask(request: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) return reject(this.#error);
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.toString('latin1');
    const bodyAt = this.#received.indexOf('\r\n\r\n') + 4;
    if (bodyAt < 4) return;
    const head = this.#received.slice(0, bodyAt);
    const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
    if (!(this.#received.length >= bodyAt + length)) {
      if (Number.isNaN(length)) this.#end(new Error(`an answer without a length:\n${this.#received}`));
      return;
    }
    const body = this.#received.slice(bodyAt);
    const reply = { status: Number(head.slice(9, 12)), body, timing: parseServerTiming(head) };
    this.#received = '';
    this.#settle?.resolve(reply);
    this.#settle = undefined;
  }

  #end(error: Error): void {
    this.#error ??= error;
    this.#settle?.reject(this.#error);
    this.#settle = undefined;
    this.#socket.destroy();
  }
}

import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { json } from 'node:stream/consumers';
import type { BoundSocket } from '../src/index.js';

/** Who answered. */
export interface Answer {
  readonly id: string | null;
  readonly workerId: number;
  readonly generation: number;
  readonly pid: number;
}

type Address = BoundSocket['address'];

/** Sends one request; rejects with the system's error. */
export function get(
  address: Address,
  path: string,
  options: https.RequestOptions = {},
  secure = false,
): Promise<string> {
  const target =
    'path' in address ? { socketPath: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve, reject) => {
    const onResponse = (response: http.IncomingMessage): void => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(body));
      response.on('error', reject);
    };
    const all = { ...target, agent: false as const, ...options, path };
    const request = secure
      ? https.get({ ...all, rejectUnauthorized: false }, onResponse)
      : http.get(all, onResponse);
    request.on('error', reject);
  });
}

/** Sends one request on a connection of its own and reads who answered. */
export async function ask(address: Address, path = '/'): Promise<Answer> {
  return JSON.parse(await get(address, path)) as Answer;
}

/** Sends one request on a connection of its own; resolves to its answer to come, once the system has taken it. */
export async function send(address: Address, path: string): Promise<{ answer: Promise<Answer> }> {
  const target =
    'path' in address ? { socketPath: address.path } : { host: address.host, port: address.port };
  const request = http.request({ ...target, path, agent: false });
  const answer = once(request, 'response').then(([response]) => json(response as http.IncomingMessage));
  answer.catch(() => undefined);
  const [socket] = (await once(request, 'socket')) as [net.Socket];
  await new Promise<void>((resolve) => socket.once('connect', () => request.end(resolve)));
  return { answer: answer as Promise<Answer> };
}

/** Sends one request; resolves to its answer to come, once the worker has it in hand. */
export async function begin(address: Address, path: string): Promise<{ answer: Promise<Answer> }> {
  const target =
    'path' in address ? { socketPath: address.path } : { host: address.host, port: address.port };
  // A server answers this header with 100 when it takes the request.
  const request = http.request({ ...target, path, agent: false, headers: { expect: '100-continue' } });
  const answer = once(request, 'response').then(([response]) => json(response as http.IncomingMessage));
  answer.catch(() => undefined);
  request.flushHeaders();
  await once(request, 'continue');
  request.end();
  return { answer: answer as Promise<Answer> };
}

/** How a client behaves: on one connection, on one with (long) pauses, on a new one for each request. */
export type ClientKind = 'keep-alive' | 'think-time' | 'long-think' | 'close';

const PAUSES_MS: Readonly<Record<ClientKind, readonly [min: number, max: number]>> = {
  'keep-alive': [0, 0],
  'think-time': [20, 100],
  'long-think': [400, 1600],
  close: [0, 0],
};

/** Clients that ask without end and check that each answer is theirs. */
export class Load {
  ok = 0;
  /** Clients that were refused after {@link refusalIsFine}; they stop. */
  refused = 0;
  readonly failures: string[] = [];
  readonly answeredBy = new Set<number>();
  #mayRefuse = false;
  #isOver = false;
  readonly #clients: Promise<void>[];

  constructor(
    private readonly address: Address,
    private readonly kind: ClientKind,
    clients = 8,
    private readonly secure = false,
  ) {
    this.#clients = Array.from({ length: clients }, (_, client) => this.#run(client));
  }

  /** From now on a refused connection is a clean answer. */
  refusalIsFine(): void {
    this.#mayRefuse = true;
  }

  /** Waits until all clients were refused. */
  async allRefused(): Promise<void> {
    await Promise.all(this.#clients);
  }

  /** Ends all clients after their current request. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async #run(client: number): Promise<void> {
    const Agent = this.secure ? https.Agent : http.Agent;
    const agent = new Agent({ keepAlive: this.kind !== 'close', maxSockets: 1 });
    for (let count = 0; !this.#isOver; count += 1) {
      const id = `${client}-${count}`;
      try {
        const path = `/?id=${id}${count % 5 === 0 ? '&ms=30' : ''}`;
        const answer = JSON.parse(await get(this.address, path, { agent }, this.secure)) as Answer;
        if (answer.id !== id) this.failures.push(`request ${id} got the answer of ${answer.id}`);
        this.answeredBy.add(answer.pid);
        this.ok += 1;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        if (this.#mayRefuse && ['ECONNREFUSED', 'ENOENT'].includes(code)) {
          this.refused += 1;
          break;
        }
        this.failures.push(`${id}: ${code}`);
        if (this.failures.length > 50) break;
      }
      const [min, max] = PAUSES_MS[this.kind];
      const pauseMs = min + (max - min) * Math.random();
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    agent.destroy();
  }
}

import http from 'node:http';
import https from 'node:https';
import { Failure } from './failure.js';
import { type GrpcOptions, openGrpc } from './grpc-client.js';
import type { Asker } from './load.js';
import { postJson } from './post-json.js';

/** Integers below 2^20, so that sums of them are exact in 32-bit floats. */
const LIMIT = 2 ** 20;
let asked = 0;

/** Numbers that no other request of this process has had for a million requests. */
export function createRow(): readonly number[] {
  asked += 1;
  return [asked % LIMIT, (asked * 7) % 1009, (asked * 31) % 1013, asked % 17];
}

/** Checks an answer of `predict` to a row; throws a {@link Failure} when it is not the row's own. */
export function expectRow(row: readonly number[], answer: unknown): void {
  const [a = 0, b = 0, c = 0, d = 0] = row;
  const expected = JSON.stringify({ result: [a, 2 * b, 3 * c, a + b + c + 4 * d] });
  const received = JSON.stringify(answer);
  if (received !== expected) {
    throw new Failure('wrong', `[${row.join()}] was answered with ${received}, not ${expected}`);
  }
}

/** How an HTTP client connects. */
export interface HttpPredictOptions {
  /** One connection for all requests, or one for each. */
  readonly keepAlive: boolean;
  /** Certificate of the server (PEM) for https, made out to localhost. */
  readonly ca?: string;
}

/** An HTTP client of `predict` with one connection at a time. */
export function httpPredict(url: string, { keepAlive, ca }: HttpPredictOptions): Asker {
  // Each TLS connection has a whole handshake: a resumed session would hide what a new one costs.
  const agent = url.startsWith('https:')
    ? new https.Agent({
        keepAlive,
        maxSockets: 1,
        maxCachedSessions: 0,
        servername: 'localhost',
        ...(ca !== undefined && { ca }),
      })
    : new http.Agent({ keepAlive, maxSockets: 1 });
  return {
    ask: async (signal) => {
      const row = createRow();
      expectRow(row, await postJson(`${url}/predict`, row, agent, signal));
    },
    close: () => agent.destroy(),
  };
}

/** A gRPC client of `predict` with a connection of its own. */
export function grpcPredict(url: string, options: GrpcOptions = {}): Asker {
  const client = openGrpc(url, options);
  return {
    ask: async (signal) => {
      const row = createRow();
      expectRow(row, await client.call('predict', row, signal));
    },
    close: () => client.close(),
  };
}

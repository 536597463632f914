import { setTimeout as sleep } from 'node:timers/promises';
import { mean, quantile } from '../quantile.js';
import { createRandom } from '../random.js';
import { encodePost, HttpConnection } from './http-connection.js';

/** A request, and the body that its answer must have. */
export interface Exchange {
  readonly body: string;
  readonly answer: string;
}

/** Clients of one API, each with a kept connection, each sending again when it was answered. */
export interface ClosedLoad {
  readonly url: string;
  readonly path: string;
  /** Each client sends them in turn, and begins with another one. */
  readonly exchanges: readonly Exchange[];
  readonly connections: number;
  readonly durationMs: number;
  /** Pause before each next request, uniform within ± 50 %. @default 0 */
  readonly returnMs?: number;
}

/** What a closed loop came to. */
export interface ClosedReport {
  readonly requests: number;
  readonly wallMs: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Mean time at the runner, as the server tells it; NaN where no runner was called. */
  readonly runnerMeanMs: number;
}

/** Sends a load and resolves when it is over; an answer that is not 200, or another body, is an error. */
export async function runClosedLoop(load: ClosedLoad): Promise<ClosedReport> {
  const { url, path, returnMs = 0 } = load;
  const exchanges = load.exchanges.map(({ body, answer }) => ({ sent: encodePost(url, path, body), answer }));
  const random = createRandom(1);
  const latencies: number[] = [];
  const runnerMs: number[] = [];
  const startedAt = performance.now();
  const loop = async (client: number): Promise<void> => {
    const connection = new HttpConnection(url);
    for (let turn = client, sentAt = performance.now(); sentAt - startedAt < load.durationMs; turn++) {
      const exchange = exchanges[turn % exchanges.length];
      if (exchange === undefined) throw new Error('a load without requests');
      const { status, body, timing } = await connection.ask(exchange.sent);
      if (status !== 200 || body !== exchange.answer) {
        throw new Error(`unexpected answer: ${status} ${body}, expected ${exchange.answer}`);
      }
      const now = performance.now();
      latencies.push(now - sentAt);
      if (timing !== undefined) runnerMs.push(timing.runnerMs);
      if (returnMs > 0) await sleep(returnMs * (0.5 + random()));
      sentAt = returnMs > 0 ? performance.now() : now;
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: load.connections }, (_, client) => loop(client)));
  const wallMs = performance.now() - startedAt;
  const means = { meanMs: mean(latencies), runnerMeanMs: mean(runnerMs) };
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  return { requests: latencies.length, wallMs, ...means, p50Ms, p99Ms };
}

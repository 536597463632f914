import { writeModel } from '../services/mlp/write-model.js';
import { encodePost, HttpConnection } from './load/http-connection.js';
import type { Exchange } from './load/closed-loop.js';
import { type ServerUnderTest, startChain } from './server-under-test.js';

/** Inputs that the clients send in turn. */
const SEEDS = 16;

/** The chain of one of the services in services/mlp. */
export async function startMlp(
  service: 'gain' | 'lone' | 'overload',
  runners: readonly string[],
): Promise<ServerUnderTest> {
  await writeModel();
  return startChain({
    name: `mlp ${service}`,
    service: `tools/bench/services/mlp/service.ts:${service}`,
    runners,
    flags: ['--no-access-log'],
  });
}

/** Requests of `rows` rows, with the answers that the model gives to each alone. */
export async function learnExchanges(url: string, path: string, rows = 1): Promise<Exchange[]> {
  const connection = new HttpConnection(url);
  const exchanges: Exchange[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) {
    const body = JSON.stringify(rows === 1 ? { seed } : { seed, rows });
    const { status, body: answer } = await connection.ask(encodePost(url, path, body));
    if (status !== 200) throw new Error(`${path} answered ${status} ${answer}`);
    exchanges.push({ body, answer });
  }
  connection.close();
  return exchanges;
}

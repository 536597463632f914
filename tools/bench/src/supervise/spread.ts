import http from 'node:http';
import https from 'node:https';
import { openGrpc, postJson } from '@bentots/load';
import type { AcceptMode } from '@bentots/supervisor';
import type { Certificate } from './certificate.js';
import { startPlanned } from './start-tree.js';

/** How connections came. */
export type Arrival = 'kept, at once' | 'kept, one by one' | 'fresh';

/** How many connections each worker got, the busiest first. */
export interface SpreadSample {
  readonly scheme: string;
  readonly workers: number;
  readonly accept: AcceptMode;
  readonly arrival: Arrival;
  readonly round: number;
  readonly connections: readonly number[];
}

/** One connection, on which a question is asked. */
interface Line {
  /** Process id of the worker that answers. */
  ask(): Promise<number>;
  close(): void;
}

/** How much is connected. */
export interface SpreadSize {
  readonly kept: number;
  readonly fresh: number;
  /** Fresh connections at a time. */
  readonly atOnce: number;
  readonly rounds: number;
}

/** Connects to trees of `workers` workers in one way of accepting, by all protocols and arrivals. */
export async function measureSpread(
  workers: number,
  accept: AcceptMode,
  certificate: Certificate,
  size: SpreadSize,
): Promise<SpreadSample[]> {
  const samples: SpreadSample[] = [];
  const service = 'tools/bench/services/who/service.ts:who';
  const args = ['serve', service, '--grpc-port', '0', '--api-workers', `${workers}`];
  for (const { flags, schemes } of [
    { flags: [], schemes: ['http', 'grpc'] },
    { flags: certificate.flags, schemes: ['https'] },
  ]) {
    const tree = await startPlanned([...args, ...flags], { http: accept, grpc: accept });
    for (const scheme of schemes) {
      const url = await tree.url(scheme);
      for (let round = 1; round <= size.rounds; round += 1) {
        for (const arrival of ['kept, at once', 'kept, one by one', 'fresh'] as const) {
          const pids = await connect(arrival, () => openLine(url, certificate.ca), size);
          samples.push({ scheme, workers, accept, arrival, round, connections: countEach(pids, workers) });
        }
      }
    }
    await tree.stop();
  }
  return samples;
}

/** Who answered on each connection. */
async function connect(arrival: Arrival, open: () => Line, size: SpreadSize): Promise<number[]> {
  if (arrival === 'fresh') return connectFresh(open, size);
  const lines = Array.from({ length: size.kept }, open);
  const pids: number[] = [];
  if (arrival === 'kept, at once') pids.push(...(await Promise.all(lines.map((line) => line.ask()))));
  else for (const line of lines) pids.push(await line.ask());
  for (const line of lines) line.close();
  return pids;
}

async function connectFresh(open: () => Line, { fresh, atOnce }: SpreadSize): Promise<number[]> {
  const pids: number[] = [];
  const loop = async (): Promise<void> => {
    for (let count = 0; count < fresh / atOnce; count += 1) {
      const line = open();
      pids.push(await line.ask());
      line.close();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
  return pids;
}

function openLine(url: string, ca: string): Line {
  const { signal } = new AbortController();
  const id = Math.random();
  if (url.startsWith('grpc:')) {
    const client = openGrpc(url);
    return {
      ask: async () => readPid(await client.call('who', id, signal), id),
      close: () => client.close(),
    };
  }
  const options = { keepAlive: true, maxSockets: 1 };
  const agent = url.startsWith('https:')
    ? new https.Agent({ ...options, ca, servername: 'localhost', maxCachedSessions: 0 })
    : new http.Agent(options);
  return {
    ask: async () => readPid(await postJson(`${url}/who`, id, agent, signal), id),
    close: () => agent.destroy(),
  };
}

function readPid(answer: unknown, id: number): number {
  const isOurs = typeof answer === 'object' && answer !== null && 'id' in answer && answer.id === id;
  if (isOurs && 'pid' in answer && typeof answer.pid === 'number') return answer.pid;
  throw new Error(`${id} was answered with ${JSON.stringify(answer)}`);
}

/** A worker without a connection counts, too. */
function countEach(pids: readonly number[], workers: number): number[] {
  const counts = new Map<number, number>();
  for (const pid of pids) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  const found = [...counts.values()].sort((a, b) => b - a);
  return Array.from({ length: Math.max(workers, found.length) }, (_, index) => found[index] ?? 0);
}

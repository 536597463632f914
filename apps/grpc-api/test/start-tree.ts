import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GrpcWorkerData } from '@bentots/config';
import { Arbiter, type BoundSocket, type Plan, type WatcherSpec } from '@bentots/supervisor';
import { MergedMetrics } from '@bentots/telemetry';
import { onTestFinished } from 'vitest';
import { TestClient } from './client.js';

const worker = fileURLToPath(new URL('../dist/worker.js', import.meta.url));
const workingDir = fileURLToPath(new URL('./fixtures', import.meta.url));

/** A gRPC edge of real processes. */
export interface StartedTree {
  readonly arbiter: Arbiter;
  readonly metricsUrl: string;
  client(): TestClient;
  /** What hooks and slow calls wrote down, line by line. */
  notes(): Promise<string[]>;
}

/** Starts `workers` workers of the fixture's `service`, and stops them when the test ends. */
export async function startTree(
  service: string,
  workers: number,
  data: Partial<GrpcWorkerData> = {},
  watcher: Partial<WatcherSpec> = {},
): Promise<StartedTree> {
  const folder = await mkdtemp(join(tmpdir(), 'bentots-grpc-'));
  const file = join(folder, 'notes');
  await writeFile(file, '');
  const arbiter = new Arbiter(planTree(service, workers, data, { env: { NOTES: file }, ...watcher }), {
    metrics: new MergedMetrics(),
  });
  const clients: TestClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.close();
    await arbiter.stop();
    await rm(folder, { recursive: true });
  });
  const sockets = await arbiter.start();
  return {
    arbiter,
    metricsUrl: `http://${addressOf(sockets, 'metrics')}`,
    client: () => {
      const client = new TestClient(addressOf(sockets, 'grpc'));
      clients.push(client);
      return client;
    },
    notes: async () => (await readFile(file, 'utf8')).split('\n').filter((line) => line !== ''),
  };
}

function planTree(
  service: string,
  numProcesses: number,
  data: Partial<GrpcWorkerData>,
  watcher: Partial<WatcherSpec>,
): Plan {
  const full: GrpcWorkerData = {
    target: { identifier: `service.mjs:${service}`, workingDir },
    runnerMap: {},
    socket: 'grpc',
    metricsSocket: 'metrics',
    protocolVersion: 'v1',
    reflection: false,
    channelz: false,
    maxMessageBytes: 1024 * 1024,
    timeoutMs: 10_000,
    graceMs: 10_000,
    metrics: { enabled: true, buckets: [0.1, 1] },
    log: { level: 'error', format: 'text', access: false },
    ...data,
  };
  return {
    name: `test:${service}`,
    sockets: [
      { name: 'grpc', accept: 'balanced' },
      { name: 'metrics', accept: 'shared' },
    ],
    watchers: [
      {
        name: 'grpc_api',
        entry: worker,
        numProcesses,
        sockets: ['grpc', 'metrics'],
        data: JSON.parse(JSON.stringify(full)),
        graceMs: 10_000,
        ...watcher,
      },
    ],
  };
}

function addressOf(sockets: readonly BoundSocket[], name: string): string {
  const address = sockets.find((socket) => socket.name === name)?.address;
  if (address === undefined || 'path' in address) throw new Error(`no TCP socket '${name}'`);
  return `${address.host}:${address.port}`;
}

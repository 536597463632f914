import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HttpWorkerData } from '@bentots/config';
import { Arbiter, type WatcherSpec } from '@bentots/supervisor';
import { MergedMetrics } from '@bentots/telemetry';
import { onTestFinished } from 'vitest';

const worker = fileURLToPath(new URL('../dist/worker.js', import.meta.url));
const workingDir = fileURLToPath(new URL('./fixtures', import.meta.url));

/** An HTTP edge of real processes. */
export interface StartedTree {
  readonly arbiter: Arbiter;
  readonly url: string;
  /** What hooks and slow calls wrote down, line by line. */
  notes(): Promise<string[]>;
}

/** Starts `workers` workers of the fixture's `service`, and stops them when the test ends. */
export async function startTree(
  service: string,
  workers: number,
  data: Partial<HttpWorkerData> = {},
  lameDuckMs = 0,
  limits: Pick<WatcherSpec, 'maxRequests'> = {},
): Promise<StartedTree> {
  const folder = await mkdtemp(join(tmpdir(), 'bentots-http-'));
  const file = join(folder, 'notes');
  await writeFile(file, '');
  const full: HttpWorkerData = {
    target: { identifier: `service.mjs:${service}`, workingDir },
    runnerMap: {},
    socket: 'http',
    timeoutMs: 10_000,
    keepAliveMs: 5_000,
    graceMs: 10_000,
    maxBodyBytes: 1_000_000,
    metrics: { enabled: true, buckets: [0.1, 1] },
    log: { level: 'error', format: 'text', access: false },
    ...data,
  };
  const watcher = {
    name: 'http_api',
    entry: worker,
    numProcesses: workers,
    sockets: ['http'],
    data: JSON.parse(JSON.stringify(full)),
    env: { NOTES: file },
    graceMs: 10_000,
    ...limits,
  };
  const plan = {
    name: `test:${service}`,
    sockets: [{ name: 'http', accept: 'shared' as const }],
    watchers: [watcher],
    lameDuckMs,
  };
  const arbiter = new Arbiter(plan, { metrics: new MergedMetrics() });
  onTestFinished(async () => {
    await arbiter.stop({ hurry: true });
    await rm(folder, { recursive: true });
  });
  const [socket] = await arbiter.start();
  if (socket === undefined || 'path' in socket.address) throw new Error('no TCP socket');
  return {
    arbiter,
    url: `http://${socket.address.host}:${socket.address.port}`,
    notes: async () => (await readFile(file, 'utf8')).split('\n').filter((line) => line !== ''),
  };
}

import { connect, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DispatcherWorkerData, RunnerWorkerData } from '@bentots/config';
import { ClientConnection } from '@bentots/runner-wire';
import { describeService, type RunnerDescription } from '@bentots/service';
import { Arbiter, type Plan, type StopReport, type TreeStatus, type WatcherSpec } from '@bentots/supervisor';
import { MergedMetrics, parseSnapshot } from '@bentots/telemetry';
import { svc } from './fixtures/gated/service.js';

/** What a test wants otherwise than the plan of a start function. */
export interface TreeOptions {
  readonly timeoutMs?: number;
  readonly graceMs?: number;
  readonly lameDuckMs?: number;
  readonly workers?: number;
  /** For the workers. */
  readonly limits?: Pick<WatcherSpec, 'maxRequests'>;
}

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A runner's processes, as a plan of the start functions would run them, from this app's built programs. */
export class RunnerTree {
  readonly #arbiter: Arbiter;
  readonly #clients: ClientConnection[] = [];
  #port = 0;

  constructor(runnerName: string, options: TreeOptions = {}) {
    const metrics = new MergedMetrics();
    this.#arbiter = new Arbiter(planOf(runnerName, options), {
      metrics: {
        update: (source, snapshot) => metrics.update(source, parseSnapshot(snapshot)),
        retire: (source) => metrics.retire(source),
        text: () => metrics.text(),
      },
    });
  }

  async start(): Promise<this> {
    const [socket] = await this.#arbiter.start();
    if (socket === undefined || !('port' in socket.address)) throw new Error('the tree has no TCP socket');
    this.#port = socket.address.port;
    return this;
  }

  /** A connection of the runner wire. */
  async client(): Promise<ClientConnection> {
    const client = new ClientConnection(await this.socket(), { runner: 'gated', address: 'test' });
    this.#clients.push(client);
    await client.hello;
    return client;
  }

  async socket(): Promise<Socket> {
    const socket = connect(this.#port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  fetch(path: string, body?: string): Promise<Response> {
    const init = body === undefined ? {} : { method: 'POST', body };
    return fetch(`http://127.0.0.1:${this.#port}${path}`, init);
  }

  /** One sample of the merged metrics, summed over its labels. */
  async sample(name: string, label = ''): Promise<number> {
    const text = await (await this.fetch('/metrics')).text();
    const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(label));
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Begins the lame-duck time, and with it a stop. */
  beginStop(): void {
    void this.#arbiter.stop();
  }

  /** The workers that hold the model, as the arbiter sees them. */
  get workers(): TreeStatus['watchers'][number]['workers'] {
    return this.#arbiter.status().watchers[0]?.workers ?? [];
  }

  /** Ends a worker as a crash does. */
  kill(index = 0): void {
    const pid = this.workers[index]?.pid;
    if (pid == null) throw new Error(`there is no worker ${index + 1}`);
    process.kill(pid, 'SIGKILL');
  }

  async stop(): Promise<StopReport> {
    await this.#arbiter.stop();
    for (const client of this.#clients) client.destroy();
    return this.#arbiter.done;
  }
}

function planOf(runnerName: string, options: TreeOptions): Plan {
  const { timeoutMs, graceMs = 5000, lameDuckMs = 0, workers = 1, limits = {} } = options;
  const path = join(tmpdir(), `bentots-test-${randomUUID()}.sock`);
  const log = { level: 'silent', format: 'text', access: false } as const;
  const watcher = `runner:${runnerName}`;
  const target = { identifier: 'service.ts:svc', workingDir: fileOf('./fixtures/gated') };
  const workerData: RunnerWorkerData = { target, runnerName, socket: 'workers', log };
  const dispatcherData: DispatcherWorkerData<RunnerDescription> = {
    service: { name: svc.name, version: null },
    runner: describeRunner(runnerName),
    watcher,
    workersPath: path,
    socket: 'runner',
    ...(timeoutMs !== undefined && { timeoutMs }),
    log,
  };
  return {
    name: `test:${runnerName}`,
    lameDuckMs,
    sockets: [
      { name: 'runner', host: '127.0.0.1', accept: 'balanced' },
      { name: 'workers', path, mode: 0o600, accept: 'balanced' },
    ],
    watchers: [
      {
        name: watcher,
        entry: fileOf('../dist/worker.js'),
        numProcesses: workers,
        sockets: ['workers'],
        data: toJson(workerData),
        graceMs,
        priority: 0,
        ...limits,
      },
      {
        name: `dispatcher:${runnerName}`,
        entry: fileOf('../dist/dispatcher.js'),
        numProcesses: 1,
        sockets: ['runner'],
        data: toJson(dispatcherData),
        graceMs,
        priority: 5,
      },
    ],
  };
}

function describeRunner(name: string): RunnerDescription {
  const { runners } = describeService(svc);
  const runner = runners.find((known) => known.name === name) ?? runners[0];
  if (runner === undefined) throw new Error('the service has no runner');
  return { ...runner, name };
}

function toJson(data: object): NonNullable<WatcherSpec['data']> {
  return JSON.parse(JSON.stringify(data)) as NonNullable<WatcherSpec['data']>;
}

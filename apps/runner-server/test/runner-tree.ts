import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RunnerWorkerData } from '@bentots/config';
import { ClientConnection } from '@bentots/runner-wire';
import { Arbiter, type Plan, type StopReport, type TreeStatus, type WatcherSpec } from '@bentots/supervisor';
import { MergedMetrics, parseSnapshot } from '@bentots/telemetry';

type Limits = Pick<WatcherSpec, 'maxRequests'>;

/** A runner's processes, as a plan of the start functions would run them, from this app's built worker. */
export class RunnerTree {
  readonly #arbiter: Arbiter;
  readonly #clients: ClientConnection[] = [];
  #port = 0;

  constructor(runnerName: string, data: Partial<RunnerWorkerData> = {}, lameDuckMs = 0, limits: Limits = {}) {
    const metrics = new MergedMetrics();
    this.#arbiter = new Arbiter(planOf(runnerName, data, lameDuckMs, limits), {
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

  /** The first worker, as the arbiter sees it. */
  get worker(): TreeStatus['watchers'][number]['workers'][number] | undefined {
    return this.#arbiter.status().watchers[0]?.workers[0];
  }

  async stop(): Promise<StopReport> {
    await this.#arbiter.stop();
    for (const client of this.#clients) client.destroy();
    return this.#arbiter.done;
  }
}

function planOf(
  runnerName: string,
  more: Partial<RunnerWorkerData>,
  lameDuckMs: number,
  limits: Limits,
): Plan {
  const data = {
    target: {
      identifier: 'service.ts:svc',
      workingDir: fileURLToPath(new URL('./fixtures/gated', import.meta.url)),
    },
    runnerName,
    workers: 1,
    socket: 'runner',
    graceMs: 5000,
    log: { level: 'silent', format: 'text', access: false },
    ...more,
  } satisfies RunnerWorkerData;
  return {
    name: `test:${runnerName}`,
    lameDuckMs,
    sockets: [{ name: 'runner', host: '127.0.0.1', accept: 'balanced' }],
    watchers: [
      {
        name: `runner:${runnerName}`,
        entry: fileURLToPath(new URL('../dist/worker.js', import.meta.url)),
        numProcesses: data.workers,
        sockets: ['runner'],
        data: JSON.parse(JSON.stringify(data)),
        graceMs: data.graceMs,
        ...limits,
      },
    ],
  };
}

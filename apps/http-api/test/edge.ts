import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createEndpoints } from '@bentots/endpoint';
import type { Service } from '@bentots/service';
import { createApiMetrics, createLogger, MergedMetrics, MetricsRegistry } from '@bentots/telemetry';
import { afterEach } from 'vitest';
import { createEdge, type EdgeOptions } from '../src/create-edge.js';

/** What a test may set of an edge. */
export interface TestEdgeOptions extends Partial<EdgeOptions> {
  readonly timeoutMs?: number;
  readonly maxConcurrency?: number;
}

/** An edge that listens, and what it said. */
export interface TestEdge {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  /** Lines of its log, the access log among them. */
  readonly lines: string[];
  metricsText(): Promise<string>;
  close(): Promise<void>;
}

const running: TestEdge[] = [];
afterEach(async () => {
  for (const edge of running.splice(0)) await edge.close();
});

/** A real edge of `service` on a port of its own, closed after the test. */
export async function startEdge(service: Service, options: TestEdgeOptions = {}): Promise<TestEdge> {
  const { timeoutMs = 10_000, maxConcurrency, ...own } = options;
  const limits = maxConcurrency === undefined ? { timeoutMs } : { timeoutMs, maxConcurrency };
  const lines: string[] = [];
  const registry = new MetricsRegistry();
  const metricsText = async () => {
    const merged = new MergedMetrics();
    merged.update('edge', await registry.snapshot());
    return merged.text();
  };
  const edge = await createEdge({
    service,
    endpoints: createEndpoints({ service, state: {}, ...limits }),
    readiness: { isDraining: () => false, crashLooping: () => [], readiness: () => Promise.resolve({}) },
    metrics: {
      api: createApiMetrics(registry, { service: service.name, version: '1', label: 'endpoint' }),
      text: metricsText,
    },
    log: createLogger({ component: 'api_server:test:1', destination: { write: (line) => lines.push(line) } }),
    access: true,
    keepAliveMs: 5_000,
    maxBodyBytes: 1_000_000,
    hasConcurrencyLimit: maxConcurrency !== undefined,
    ...own,
  });
  edge.server.listen(0, '127.0.0.1');
  await once(edge.server, 'listening');
  const { port } = edge.server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    edge.server.closeAllConnections();
    await edge.close();
  };
  const scheme = options.tls === undefined ? 'http' : 'https';
  const started = {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    server: edge.server,
    lines,
    metricsText,
    close,
  };
  running.push(started);
  return started;
}

/** Posts JSON. */
export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const settings = { 'content-type': 'application/json', ...headers };
  return fetch(url, { method: 'POST', headers: settings, body: JSON.stringify(body) });
}

/** A promise and its end. */
export function createGate<T = void>(): { opened: Promise<T>; open: (value: T) => void } {
  const parts: { open?: (value: T) => void } = {};
  const opened = new Promise<T>((resolve) => {
    parts.open = resolve;
  });
  return { opened, open: (value) => parts.open?.(value) };
}

/** Resolves as soon as `isTrue` says so; looks again on every turn of the event loop. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`never came true: ${isTrue.toString()}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Sends `text` as it is over a connection of its own; everything that comes back until it ends. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    const heard: string[] = [];
    socket.setEncoding('utf8');
    socket.on('data', (data: string) => heard.push(data));
    socket.on('end', () => resolve(heard.join('')));
    socket.on('error', reject);
  });
}

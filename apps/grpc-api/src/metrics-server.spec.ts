import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createMetricsServer } from './metrics-server.js';

async function start(text: () => Promise<string>): Promise<string> {
  const server = createMetricsServer(text).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test.each(['/metrics', '/', '/metrics?x=1'])('%s is the text in the format of Prometheus', async (path) => {
  const url = await start(() => Promise.resolve('up 1\n'));
  const response = await fetch(url + path);
  expect([response.status, await response.text()]).toEqual([200, 'up 1\n']);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
});

test('other paths are 404, other methods 405', async () => {
  const url = await start(() => Promise.resolve(''));
  expect((await fetch(`${url}/metric`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
});

test('metrics that cannot be collected are 503', async () => {
  const url = await start(() => Promise.reject(new Error('no arbiter')));
  expect((await fetch(`${url}/metrics`)).status).toBe(503);
});

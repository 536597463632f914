import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { sendLoad } from './client.js';
import { treeCpuMs } from './tree-cpu.js';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

async function startServer(answer: string): Promise<string> {
  const server = createServer((request, response) => {
    // In two pieces: an answer is whole when its announced length has come.
    response.writeHead(200, { 'content-length': answer.length });
    request.resume().on('end', () => {
      response.write(answer.slice(0, 2));
      setImmediate(() => response.end(answer.slice(2)));
    });
  }).listen(0, '127.0.0.1');
  closing.push(
    () => server.closeAllConnections(),
    () => void server.close(),
  );
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://127.0.0.1:${address.port}`;
}

const load = { path: '/', body: '{}', answer: '{"ok":true}', connections: 4, durationMs: 50 };

test('the load keeps its connections busy for its time, and times every request', async () => {
  const url = await startServer(load.answer);
  const { requests, wallMs, p50Ms, p99Ms } = await sendLoad({ ...load, url });
  expect(requests).toBeGreaterThanOrEqual(4);
  expect(wallMs).toBeGreaterThanOrEqual(50);
  expect(p50Ms).toBeGreaterThan(0);
  expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
});

test('a wrong answer ends the load with that answer', async () => {
  const url = await startServer('{"ok":nope}');
  await expect(sendLoad({ ...load, url })).rejects.toThrow('{"ok":nope}');
});

test('the CPU time of a tree grows with the work in it', () => {
  const before = treeCpuMs(process.pid);
  const own = process.cpuUsage();
  const spent = (): number => Object.values(process.cpuUsage(own)).reduce((sum, us) => sum + us / 1000, 0);
  while (spent() < 100);
  const grown = treeCpuMs(process.pid) - before;
  expect(grown).toBeGreaterThanOrEqual(80);
  expect(treeCpuMs(2 ** 30)).toBe(0);
});

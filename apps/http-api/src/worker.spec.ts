import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { post } from '../test/edge.js';
import { startTree } from '../test/start-tree.js';

/** Which process answers; a connection of its own for each question, so that the kernel may choose. */
async function who(url: string): Promise<{ pid: number; workerId: number }> {
  const response = await post(`${url}/who`, null, { connection: 'close' });
  return (await response.json()) as { pid: number; workerId: number };
}

async function countOf(url: string, api: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`request_total\\{endpoint="/${api}".*code="200"\\} (\\d+)`).exec(text)?.[1] ?? 0);
}

describe('workers of a service without runners', () => {
  test('serve one port, each with the state of its own start-up hook', async () => {
    const tree = await startTree('plain', 2);
    expect((await tree.notes()).toSorted()).toEqual(['startup 1', 'startup 2']);
    const { pid, workerId } = await who(tree.url);
    expect(pid).not.toBe(process.pid);
    expect([1, 2]).toContain(workerId);
    expect(await (await fetch(`${tree.url}/readyz`)).text()).toBe('\n');
  });

  test('count together, also what a worker had counted that was killed', async () => {
    const tree = await startTree('plain', 2);
    await Promise.all(Array.from({ length: 10 }, () => who(tree.url)));
    await expect.poll(() => countOf(tree.url, 'who')).toBe(10);
    const { pid } = await who(tree.url);
    await expect.poll(() => countOf(tree.url, 'who')).toBe(11);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => countOf(tree.url, 'who').catch(() => 0)).toBe(11);
  });

  test('are replaced after the requests that they may serve', async () => {
    const tree = await startTree('plain', 1, {}, 0, { maxRequests: 3 });
    const first = await who(tree.url);
    await expect.poll(async () => (await who(tree.url)).pid, { timeout: 15_000 }).not.toBe(first.pid);
    const [watcher] = tree.arbiter.status().watchers;
    expect(Object.keys(watcher?.workers[0]?.restartsByReason ?? {})).toEqual(['max-requests']);
  });

  test('stopped with calls in flight, they lose none, and run every shutdown hook after the last', async () => {
    const tree = await startTree('plain', 2);
    const calls = [400, 500, 600, 700].map((ms) => post(`${tree.url}/slow`, ms));
    await expect
      .poll(async () => (await tree.notes()).filter((line) => line === 'slow began').length)
      .toBe(4);
    const stopped = tree.arbiter.stop();
    const answers = await Promise.all(calls.map(async (call) => (await call).json()));
    expect(answers).toEqual([400, 500, 600, 700]);
    await stopped;
    expect(await tree.arbiter.done).toMatchObject({ exitCode: 0 });
    const notes = await tree.notes();
    expect(notes.filter((line) => line === 'slow ended')).toHaveLength(4);
    expect(notes.filter((line) => line.startsWith('shutdown')).toSorted()).toEqual([
      'shutdown 1',
      'shutdown 2',
    ]);
    expect(notes.at(-1)).toMatch(/^shutdown/);
  });
});

test('about to stop, a worker is not ready, serves on, and tells its clients to come back elsewhere', async () => {
  const tree = await startTree('plain', 1, {}, 60_000);
  expect((await fetch(`${tree.url}/readyz`)).status).toBe(200);
  void tree.arbiter.stop();
  await expect.poll(async () => (await fetch(`${tree.url}/readyz`)).status).toBe(503);
  const response = await fetch(`${tree.url}/livez`);
  expect(response.status).toBe(200);
  expect(response.headers.get('connection')).toBe('close');
});

test('a worker answers clients that ask before they send a long body', async () => {
  const tree = await startTree('plain', 1);
  const { hostname, port } = new URL(tree.url);
  const settings = { hostname, port, path: '/slow', method: 'POST', headers: { expect: '100-continue' } };
  const status = await new Promise((resolve, reject) => {
    const call = request(settings, (response) => resolve(response.resume().statusCode));
    call
      .on('continue', () => call.end('1'))
      .on('error', reject)
      .flushHeaders();
  });
  expect(status).toBe(200);
});

test('a worker serves what it can while a runner is away, and says which it is', async () => {
  // Port 1 of this machine: nobody listens there.
  const tree = await startTree('split', 1, { runnerMap: { away: ['tcp://127.0.0.1:1'] } });
  expect(await (await post(`${tree.url}/here`, 21)).json()).toBe(42);
  const ready = await fetch(`${tree.url}/readyz`);
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ runners: { inside: true, away: false } });
  const there = await post(`${tree.url}/there`, 21);
  expect(there.status).toBe(503);
  expect(there.headers.get('retry-after')).toBe('1');
  expect(await there.json()).toMatchObject({ code: 'unavailable', runner: 'away' });
  expect((await fetch(`${tree.url}/livez`)).status).toBe(200);
});

test('a start-up hook that throws is told by the tree', async () => {
  await expect(startTree('broken', 1)).rejects.toThrow(/no model here/);
});

test('a certificate that cannot be read is told by the tree', async () => {
  const ssl = { certfile: '/nowhere/cert.pem', keyfile: '/nowhere/key.pem' };
  const tree = startTree('plain', 1, { ssl });
  await expect(tree).rejects.toMatchObject({ code: 'tls_invalid' });
  await expect(tree).rejects.toThrow('/nowhere/cert.pem');
});

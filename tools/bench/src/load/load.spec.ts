import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { runClosedLoop } from './closed-loop.js';
import { runOpenLoop } from './open-loop.js';
import { planPoisson } from './poisson-schedule.js';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

type Answer = (body: string, response: ServerResponse, headers: IncomingHttpHeaders) => void;

async function startServer(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => answer(body, response, request.headers));
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

/** In two pieces: an answer is whole when its announced length has come. */
const echo: Answer = (body, response) => {
  response.writeHead(200, { 'content-length': body.length });
  response.write(body.slice(0, 2));
  setImmediate(() => response.end(body.slice(2)));
};
const exchanges = ['[1,2]', '{"a":3}'].map((body) => ({ body, answer: body }));
const closed = { path: '/', exchanges, connections: 4, durationMs: 50 };

test('a closed loop keeps its connections busy for its time, and times every request', async () => {
  const url = await startServer(echo);
  const { requests, wallMs, p50Ms, p99Ms } = await runClosedLoop({ ...closed, url });
  expect(requests).toBeGreaterThanOrEqual(4);
  expect(wallMs).toBeGreaterThanOrEqual(50);
  expect(p50Ms).toBeGreaterThan(0);
  expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
});

test('a wrong answer ends a closed loop with that answer', async () => {
  const url = await startServer((_body, response) => echo('[9,9]', response, {}));
  await expect(runClosedLoop({ ...closed, url })).rejects.toThrow('200 [9,9]');
});

const open = { path: '/', bodies: ['{"n":1}', '{"n":2}'], perSecond: 1000, durationMs: 60, seed: 5 };

test('an open loop sends every request of its schedule, none before it is due, however long answers take', async () => {
  // Nobody is answered before all are there: a generator that waits for answers would never end.
  const due = planPoisson(open.perSecond, open.durationMs, open.seed);
  const waiting: (() => void)[] = [];
  const timeouts = new Set<unknown>();
  const url = await startServer((body, response, headers) => {
    timeouts.add(headers['x-request-timeout']);
    waiting.push(() => echo(body, response, headers));
    if (waiting.length === due.length) for (const answer of waiting) answer();
  });
  const sent = await runOpenLoop({ ...open, url, timeoutMs: 250 });
  expect(sent.map(({ dueMs }) => dueMs)).toEqual(due);
  expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([200]));
  for (const { dueMs, sentMs, endedMs } of sent) {
    expect(sentMs).toBeGreaterThanOrEqual(dueMs);
    expect(endedMs).toBeGreaterThan(sentMs);
  }
  expect([...timeouts]).toEqual(['250ms']);
});

test('connections of an open loop may be open before its first request is due', async () => {
  const sockets = new Set<unknown>();
  const greeted: unknown[] = [];
  const url = await startServer((body, response) => {
    sockets.add(response.socket);
    if (body === '') greeted.push(response.socket);
    echo(body === '' ? 'alive' : body, response, {});
  });
  const sent = await runOpenLoop({ ...open, url, perSecond: 100, connections: 40 });
  expect(new Set(greeted).size).toBe(40);
  expect(sockets.size).toBe(40);
  expect(sent.length).toBeGreaterThan(0);
  expect(sent.every(({ status }) => status === 200)).toBe(true);
});

test('an open loop tells what was refused, and what was never answered', async () => {
  const url = await startServer((body, response) => {
    if (body === '{"n":2}') response.destroy();
    else response.writeHead(503, { 'content-length': 0 }).end();
  });
  const sent = await runOpenLoop({ ...open, url });
  expect(sent.map(({ status }) => status)).toEqual(sent.map((_, turn) => (turn % 2 === 0 ? 503 : 0)));
});

import { once } from 'node:events';
import net from 'node:net';
import http from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { Metadata, status } from '@grpc/grpc-js';
import {
  addTallies,
  type Asker,
  countOf,
  createRow,
  emptyTally,
  expectRow,
  Failure,
  failedOf,
  failureOfCall,
  formatTally,
  httpPredict,
  Load,
  type Mishap,
} from './index.js';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Answer = (row: number[], response: http.ServerResponse) => void;

const right: Answer = ([a = 0, b = 0, c = 0, d = 0], response) =>
  response.end(JSON.stringify({ result: [a, 2 * b, 3 * c, a + b + c + 4 * d] }));

async function serve(answer: Answer): Promise<string> {
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk)).on('end', () => answer(JSON.parse(body), response));
  });
  return listen(server, () => server.closeAllConnections());
}

async function listen(server: net.Server, cut: () => void): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    cut();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}`;
}

/** The outcome of one request. */
async function outcomeOf(url: string, limitMs = 5000): Promise<Mishap> {
  return new Promise((resolve) => {
    const load = new Load({
      name: 'one',
      clients: 1,
      open: () => httpPredict(url, { keepAlive: true }),
      limitMs,
      onMishap: (mishap) => resolve(mishap),
    });
    closing.push(() => load.end());
  });
}

describe('a client of predict', () => {
  test('counts right answers, each checked against its own numbers', async () => {
    const url = await serve(right);
    const open = (): Asker => httpPredict(url, { keepAlive: true });
    const load = new Load({ name: 'x', clients: 4, open });
    await load.answered(100);
    const tally = await load.end();
    expect(tally.ok).toBeGreaterThanOrEqual(100);
    expect(countOf(tally)).toBe(tally.ok);
  });

  test("takes another request's answer as wrong", async () => {
    const url = await serve((row, response) => right([...row].reverse(), response));
    expect(await outcomeOf(url)).toMatchObject({ outcome: 'wrong' });
  });

  test('takes an error as wrong, and 503 as unavailable', async () => {
    const failing = await serve((_, response) => void response.writeHead(500).end('oops'));
    expect(await outcomeOf(failing)).toMatchObject({ outcome: 'wrong', message: '500 oops' });
    const busy = await serve((_, response) => void response.writeHead(503).end('later'));
    expect(await outcomeOf(busy)).toMatchObject({ outcome: 'unavailable' });
  });

  test('takes a reset and a cut body as lost', async () => {
    const resetting = net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    expect(await outcomeOf(await listen(resetting, () => undefined))).toMatchObject({ outcome: 'lost' });
    const cutting = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('half', () => response.destroy());
    });
    expect(await outcomeOf(cutting)).toMatchObject({ outcome: 'lost' });
  });

  test('takes silence as late', async () => {
    const url = await serve(() => undefined);
    expect(await outcomeOf(url, 50)).toMatchObject({ outcome: 'late' });
  });

  test('ends when it is refused, if it is told to', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    server.close();
    await once(server, 'close');
    const open = (): Asker => httpPredict(`http://127.0.0.1:${port}`, { keepAlive: false });
    const load = new Load({ name: 'x', clients: 3, open, endWhenRefused: true });
    await load.allRefused();
    expect(load.tally).toEqual({ ...emptyTally, refused: 3 });
  });
});

test('a cut counts from nothing again', async () => {
  const url = await serve(right);
  const load = new Load({ name: 'x', clients: 1, open: () => httpPredict(url, { keepAlive: true }) });
  await load.answered(20);
  const first = load.cut();
  expect(first.ok).toBeGreaterThanOrEqual(20);
  await load.answered(1);
  expect(load.tally.ok).toBeLessThan(first.ok);
  await load.end();
});

test('rows differ, and an answer fits its own row only', () => {
  const rows = Array.from({ length: 2000 }, () => createRow());
  expect(new Set(rows.map((row) => row.join())).size).toBe(2000);
  expect(() => expectRow([1, 2, 3, 4], { result: [1, 4, 9, 22] })).not.toThrow();
  expect(() => expectRow([1, 2, 3, 5], { result: [1, 4, 9, 22] })).toThrow(Failure);
});

test('a call that the server refused is told apart from one whose connection went', () => {
  const sent = new Metadata();
  sent.set('bentots-error-code', 'runner_unavailable');
  const outcome = (code: status, details: string, metadata = new Metadata()): string =>
    failureOfCall({ code, details, metadata }).outcome;
  expect(outcome(status.UNAVAILABLE, 'runner matmul is away', sent)).toBe('unavailable');
  expect(outcome(status.INTERNAL, 'bug', sent)).toBe('wrong');
  expect(outcome(status.UNAVAILABLE, 'Connection dropped')).toBe('lost');
  const refused = 'No connection established. Last error: connect ECONNREFUSED 127.0.0.1:1';
  expect(outcome(status.UNAVAILABLE, refused)).toBe('refused');
});

test('tallies add up, and failures are what nothing excuses', () => {
  const sum = addTallies({ ...emptyTally, ok: 2, lost: 1 }, { ...emptyTally, ok: 3, refused: 4, late: 1 });
  expect(formatTally(sum)).toBe('5 ok, 4 refused, 1 lost, 1 late');
  expect(failedOf(sum)).toBe(2);
});

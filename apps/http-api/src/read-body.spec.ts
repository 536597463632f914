import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { file, json, Service } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { createGate, sendRaw, startEdge, until } from '../test/edge.js';

const service = () =>
  new Service('demo').api('hash', { input: file(), output: json() }, ({ bytes }) => ({
    size: bytes.length,
    sha: createHash('sha256').update(bytes).digest('hex'),
  }));

describe('a body', () => {
  test.each([0, 1, 1000, 65_536, 900_000])('of %i bytes arrives whole', async (size) => {
    const edge = await startEdge(service());
    const body = randomBytes(size);
    const response = await fetch(`${edge.url}/hash`, { method: 'POST', body });
    if (size === 0) expect([200, 400]).toContain(response.status);
    else {
      expect(await response.json()).toEqual({ size, sha: createHash('sha256').update(body).digest('hex') });
    }
  });

  test('in chunks of unknown total arrives whole', async () => {
    const edge = await startEdge(service());
    const pieces = [randomBytes(10), randomBytes(100_000), randomBytes(3)];
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    const response = await fetch(`${edge.url}/hash`, { method: 'POST', body, duplex: 'half' } as RequestInit);
    const sha = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
    expect(await response.json()).toEqual({ size: 100_013, sha });
  });

  test('in a foreign encoding is a 415', async () => {
    const edge = await startEdge(service());
    const headers = { 'content-encoding': 'gzip' };
    const response = await fetch(`${edge.url}/hash`, { method: 'POST', body: 'x', headers });
    expect(response.status).toBe(415);
    expect(await response.json()).toMatchObject({ code: 'unsupported_media_type' });
  });
});

describe('a body over the limit', () => {
  test('is refused by its announcement, before a byte of it is sent', async () => {
    const edge = await startEdge(service(), { maxBodyBytes: 1000 });
    const answered = createGate<string>();
    const socket = connect(edge.port, '127.0.0.1');
    socket.on('data', (data) => answered.open(data.toString()));
    socket.write('POST /hash HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n');
    const answer = await answered.opened;
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('"maxBytes":1000');
    socket.destroy();
  });

  test('in chunks is refused as soon as it is over', async () => {
    const edge = await startEdge(service(), { maxBodyBytes: 1000 });
    const answered = createGate<string>();
    const socket = connect(edge.port, '127.0.0.1');
    socket.on('data', (data) => answered.open(data.toString()));
    socket.write('POST /hash HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(`3e9\r\n${'x'.repeat(1001)}\r\n`);
    expect(await answered.opened).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });

  test('does not keep its sender from seeing the answer, nor the next one from being served', async () => {
    const edge = await startEdge(service(), { maxBodyBytes: 1000 });
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`${edge.url}/hash`, { method: 'POST', body: randomBytes(3_000_000) });
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ code: 'payload_too_large' });
    }
    expect((await fetch(`${edge.url}/hash`, { method: 'POST', body: 'ok' })).status).toBe(200);
  });

  test('is counted under its route', async () => {
    const edge = await startEdge(service(), { maxBodyBytes: 10 });
    await fetch(`${edge.url}/hash`, { method: 'POST', body: 'x'.repeat(11) });
    await until(async () => /total\{endpoint="\/hash".*code="413"\} 1/.test(await edge.metricsText()));
  });
});

describe('a client that asks before it sends', () => {
  /** Sends the head, and the body once it is told to; everything that came back. */
  async function ask(port: number, expectation: string, size: number): Promise<string> {
    const socket = connect(port, '127.0.0.1');
    const heard: string[] = [];
    const ended = createGate();
    socket.on('end', () => ended.open());
    socket.on('data', (data) => {
      heard.push(data.toString());
      if (heard.join('').endsWith('100 Continue\r\n\r\n')) socket.write('x'.repeat(size));
    });
    const head = ['POST /hash HTTP/1.1', 'Host: x', `Content-Length: ${size}`, `Expect: ${expectation}`];
    socket.write(`${head.join('\r\n')}\r\nConnection: close\r\n\r\n`);
    await ended.opened;
    socket.destroy();
    return heard.join('');
  }

  test.each([false, true])('is told to go on, with somebody else listening: %s', async (isFollowed) => {
    const edge = await startEdge(service());
    // As one does who follows connections to drain them.
    if (isFollowed) edge.server.prependListener('checkContinue', () => undefined);
    expect(await ask(edge.port, '100-continue', 3)).toMatch(
      /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/,
    );
  });

  test('is refused at once when the body would be too long', async () => {
    const edge = await startEdge(service(), { maxBodyBytes: 1000 });
    expect(await ask(edge.port, '100-continue', 1001)).toMatch(/^HTTP\/1.1 413 /);
  });

  test('is refused when it expects what there is not', async () => {
    const edge = await startEdge(service());
    expect(await ask(edge.port, 'miracles', 3)).toMatch(/^HTTP\/1.1 417 /);
  });
});

test('a body that is cut off ends the request and nothing else', async () => {
  const edge = await startEdge(service());
  const socket = connect(edge.port, '127.0.0.1');
  socket.write('POST /hash HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc');
  await until(async () => (await edge.metricsText()).includes('in_progress{endpoint="/hash"'));
  socket.destroy();
  await until(async () => /in_progress\{endpoint="\/hash".*\} 0/.test(await edge.metricsText()));
  const fine = 'POST /hash HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
  expect(await sendRaw(edge.port, fine)).toMatch(/^HTTP\/1.1 200/);
});

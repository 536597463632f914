import { connect, type Socket } from 'node:net';

/** A load of the same POST again and again: `connections` kept connections, one request at a time on each. */
export interface HttpLoad {
  readonly url: string;
  readonly path: string;
  readonly body: string;
  /** The body that every answer must have. */
  readonly answer: string;
  readonly connections: number;
  readonly durationMs: number;
}

/** What a load came to. */
export interface HttpReport {
  readonly requests: number;
  readonly wallMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sends a load and resolves when it is over; an answer that is not 200, or another body, is an error. */
export async function sendLoad(load: HttpLoad): Promise<HttpReport> {
  const { hostname, port } = new URL(load.url);
  const head = [
    `POST ${load.path} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(load.body)}`,
  ];
  const request = Buffer.from(`${head.join('\r\n')}\r\n\r\n${load.body}`);
  const latencies: number[] = [];
  const startedAt = performance.now();
  const loop = async (): Promise<void> => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const next = readAnswers(socket, load.answer);
    for (let sentAt = performance.now(); sentAt - startedAt < load.durationMs;) {
      socket.write(request);
      await next();
      const now = performance.now();
      latencies.push(now - sentAt);
      sentAt = now;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: load.connections }, loop));
  const wallMs = performance.now() - startedAt;
  latencies.sort((a, b) => a - b);
  const quantile = (q: number): number => latencies[Math.floor(q * (latencies.length - 1))] ?? NaN;
  return { requests: latencies.length, wallMs, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** A function that waits for the next whole answer; answers come one at a time, and announce their length. */
function readAnswers(socket: Socket, expected: string): () => Promise<void> {
  let received = '';
  let settle: { resolve(): void; reject(error: Error): void } | undefined;
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    const bodyAt = received.indexOf('\r\n\r\n') + 4;
    if (bodyAt < 4) return;
    const length = Number(/content-length: *(\d+)/i.exec(received.slice(0, bodyAt))?.[1] ?? NaN);
    if (received.length < bodyAt + length) return;
    const isRight = received.startsWith('HTTP/1.1 200') && received.slice(bodyAt) === expected;
    const answer = received;
    received = '';
    if (isRight) settle?.resolve();
    else settle?.reject(new Error(`unexpected answer:\n${answer}`));
  });
  socket.on('error', (error) => settle?.reject(error));
  socket.on('close', () => settle?.reject(new Error('the server closed the connection')));
  return () => new Promise((resolve, reject) => (settle = { resolve, reject }));
}

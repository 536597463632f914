import { once } from 'node:events';
import net from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startActivated, stopAll } from './src/topology.js';

afterEach(stopAll);

interface Held {
  readonly fd: number;
  readonly port: number;
  /** From now on it is only the server's. */
  release(): void;
}

/** A socket that listens before any server is there, as systemd holds it. */
async function hold(host: string): Promise<Held> {
  const server = net.createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = Object(server.address());
  return { fd: Reflect.get(Reflect.get(server, '_handle'), 'fd'), port, release: () => server.close() };
}

test.each([
  ['127.0.0.1', 'http'],
  ['::1', 'bentots.socket'],
])('a client that came to %s before the server did is answered by it', async (host, name) => {
  const held = await hold(host);
  const args = ['start-http-server', 'examples/hello', '--port', '1'];
  const server = startActivated(args, name, [held.fd]);
  held.release();
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${held.port}`;
  const early = fetch(`${url}/livez`);
  expect((await early).status).toBe(200);
  const [line] = await server.printed(/ready on \S+/);
  expect(line).toBe(`ready on ${url}`);
  expect(await server.stop()).toMatchObject({ code: 0 });
});

test('the sockets of a gRPC server are found by their names', async () => {
  const [metrics, grpc] = [await hold('127.0.0.1'), await hold('127.0.0.1')];
  const args = ['start-grpc-server', 'examples/hello', '--enable-reflection'];
  const server = startActivated(args, 'grpc_metrics:grpc', [metrics.fd, grpc.fd]);
  for (const held of [metrics, grpc]) held.release();
  expect((await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).status).toBe(200);
  const [line] = await server.printed(/ready on \S+/);
  expect(line).toBe(`ready on grpc://127.0.0.1:${grpc.port}`);
});

test('two sockets that nobody can tell apart are refused', async () => {
  const [one, other] = [await hold('127.0.0.1'), await hold('127.0.0.1')];
  const server = startActivated(['start-http-server', 'examples/hello'], 'http:http', [one.fd, other.fd]);
  for (const held of [one, other]) held.release();
  const { code, output } = await server.ended;
  expect(output).toContain("error: two sockets of LISTEN_FDS are named 'http'");
  expect(code).toBe(2);
});

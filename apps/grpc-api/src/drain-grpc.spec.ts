import net from 'node:net';
import { status } from '@grpc/grpc-js';
import { json, Service } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { TestClient } from '../test/client.js';
import { Gate, startApi } from '../test/start-api.js';
import { HealthCheckResponse_ServingStatus as ServingStatus } from './wire/grpc/health/v1/health.gen.js';

const one = { $case: 'json', value: 1 } as const;

function gated(gate: Gate): Service {
  return new Service('gated')
    .api('wait', { input: json(), output: json() }, async (value) => {
      await gate.pass();
      return value;
    })
    .api('quick', { input: json(), output: json() }, (value) => value);
}

describe('the end of readiness', () => {
  test('is told by Check and Watch, while everything is served as before', async () => {
    const gate = new Gate();
    const { api, client } = await startApi(gated(gate));
    const watch = client().watch('');
    expect((await watch.next()).value).toBe(ServingStatus.SERVING);
    api.endReadiness();
    expect((await watch.next()).value).toBe(ServingStatus.NOT_SERVING);
    const late = client();
    expect(await late.check('')).toBe(ServingStatus.NOT_SERVING);
    expect(await late.call('quick', one)).toEqual(one);
    const drained = api.drain(new AbortController().signal);
    await expect(watch.next()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await drained;
  });
});

describe('draining', () => {
  test('answers the calls in flight, then closes their connections and resolves', async () => {
    const gate = new Gate();
    const { api, client } = await startApi(gated(gate));
    const caller = client();
    const calls = [caller.call('wait', one), client().call('wait', one)];
    await expect.poll(() => gate.arrivals).toBe(2);
    const drained = api.drain(new AbortController().signal).then(() => 'drained');
    await expect(Promise.race([drained, tick()])).resolves.toBe('tick');
    gate.open();
    await expect(Promise.all(calls)).resolves.toEqual([one, one]);
    await expect(drained).resolves.toBe('drained');
    expect(await countOf(api.listener)).toBe(0);
  });

  test('loses no call of clients that keep calling: what it refuses is repeated elsewhere', async () => {
    const gate = new Gate();
    const old = await startApi(gated(gate));
    const young = await startApi(gated(gate));
    // What the supervisor does: one address, connections handed to the worker that is not draining.
    let target = old.api.listener;
    const front = net.createServer((socket) => target.emit('connection', socket));
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const { port } = front.address() as net.AddressInfo;
    const clients = Array.from({ length: 4 }, () => new TestClient(`127.0.0.1:${port}`));
    try {
      let stop = false;
      let answered = 0;
      const load = clients.map(async (client) => {
        while (!stop) {
          await client.call('quick', one);
          answered++;
        }
      });
      await expect.poll(() => answered).toBeGreaterThan(50);
      target = young.api.listener;
      await old.api.drain(new AbortController().signal);
      const before = answered;
      await expect.poll(() => answered).toBeGreaterThan(before + 50);
      stop = true;
      await expect(Promise.all(load)).resolves.toHaveLength(4);
    } finally {
      for (const client of clients) client.close();
      front.close();
    }
  });

  test('serves a connection that comes late, and then tells it to go away', async () => {
    const gate = new Gate();
    const { api, client } = await startApi(gated(gate));
    const call = client().call('wait', one);
    await gate.arrival();
    const drained = api.drain(new AbortController().signal);
    expect(await client().call('quick', one)).toEqual(one);
    gate.open();
    expect(await call).toEqual(one);
    await drained;
    await expect.poll(() => countOf(api.listener)).toBe(0);
  });

  test('cuts what still runs when its time is over', async () => {
    const gate = new Gate();
    const { api, client } = await startApi(gated(gate));
    const call = client().call('wait', one);
    await gate.arrival();
    const deadline = new AbortController();
    const drained = api.drain(deadline.signal);
    const failed = expect(call).rejects.toMatchObject({ code: expect.any(Number) });
    deadline.abort();
    await drained;
    await failed;
    gate.open();
  });

  test('says NOT_SERVING to watchers before anything else, then ends their watches', async () => {
    const gate = new Gate();
    const { api, client } = await startApi(gated(gate));
    const watch = client().watch('');
    expect((await watch.next()).value).toBe(ServingStatus.SERVING);
    const call = client().call('wait', one);
    await gate.arrival();
    const drained = api.drain(new AbortController().signal);
    expect((await watch.next()).value).toBe(ServingStatus.NOT_SERVING);
    gate.open();
    await call;
    await expect(watch.next()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await drained;
  });

  test('does not wait for a connection that never says anything', async () => {
    const { api, address } = await startApi(gated(new Gate()));
    const socket = net.connect(Number(address.split(':')[1]), '127.0.0.1');
    await expect.poll(() => countOf(api.listener)).toBe(1);
    await api.drain(new AbortController().signal);
    socket.destroy();
  });
});

function countOf(server: net.Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

function tick(): Promise<string> {
  return new Promise((resolve) => setTimeout(resolve, 50, 'tick'));
}

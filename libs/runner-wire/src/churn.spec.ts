import { expect, test } from 'vitest';
import { memoryInUse } from '../test/memory.js';
import { createPair } from '../test/pair.js';
import type { IncomingCall } from './index.js';

/** Enough that what each call would leave behind shows: 1 KiB a call would be 20 MiB. */
const ROUNDS = 20_000;

async function serve(call: IncomingCall): Promise<void> {
  switch (call.method) {
    case 'fail':
      throw new RangeError('as asked');
    case 'never':
      call.signal.addEventListener('abort', () => call.respond('too late'), { once: true });
      return;
    case 'stream':
      for (let i = 0; i < 3; i += 1) await call.chunk(i);
      return call.end();
    default:
      return call.respond(call.args[0]);
  }
}

test('calls, errors, cancels and cut streams leave nothing behind', async () => {
  const { client, server } = await createPair({ onCall: serve });
  const shared = new AbortController();
  const kinds: (() => Promise<unknown>)[] = [
    () => client.call('echo', [new Uint8Array(64)], { signal: shared.signal, deadline: Date.now() + 60_000 }),
    () => client.call('fail', []).catch(() => undefined),
    () => {
      const controller = new AbortController();
      const call = client.call('never', [], { signal: controller.signal }).catch(() => undefined);
      setImmediate(() => controller.abort());
      return call;
    },
    async () => {
      for await (const value of client.stream('stream', [], { signal: shared.signal })) {
        if (value === 1) break;
      }
    },
  ];
  const round = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 16) {
      await Promise.all(Array.from({ length: 16 }, (_, j) => kinds[(i + j) % kinds.length]?.()));
    }
  };
  await round(2000);
  const before = memoryInUse();
  await round(ROUNDS);
  await client.ping(AbortSignal.timeout(20_000));
  const after = memoryInUse();
  expect([client.inFlight, server.inFlight]).toEqual([0, 0]);
  expect(client.counters.calls).toBe(server.counters.calls);
  expect(after.heap - before.heap).toBeLessThan(8 * 1024 * 1024);
  expect(after.buffers - before.buffers).toBeLessThan(8 * 1024 * 1024);
});

import { expect, test } from 'vitest';
import { createGate, createTestEndpoints, inbound, nextTurn } from '../../test/harness.js';

const refused = {
  code: 'too_many_requests',
  message: 'the server works on 2 calls at once, its limit; try again later',
  details: { limit: 2, retryAfterMs: 1_000 },
};

test('calls beyond the limit of all APIs together are refused until one ends', async () => {
  const gates = [createGate(), createGate()];
  const api = createTestEndpoints(
    { wait: (index) => gates[Number(index)]?.wait(), quick: () => 'quick' },
    { maxConcurrency: 2 },
  );
  const calls = [0, 1].map((index) => api('wait').invoke(inbound({ decode: () => index })));
  await expect(api('quick').invoke(inbound())).rejects.toMatchObject(refused);
  await expect(api('wait').invoke(inbound())).rejects.toMatchObject(refused);
  gates[0]?.open('first');
  expect(await calls[0]).toMatchObject({ result: 'first' });
  expect(await api('quick').invoke(inbound())).toMatchObject({ result: 'quick' });
  gates[1]?.fail(new Error('no'));
  await expect(calls[1]).rejects.toMatchObject({ code: 'internal' });
  const both = [api('quick').invoke(inbound()), api('quick').invoke(inbound())];
  expect(await Promise.all(both)).toHaveLength(2);
});

test('a slot is held until the function really ends, though its call was answered', async () => {
  const gate = createGate();
  const api = createTestEndpoints({ wait: gate.wait, quick: () => 1 }, { maxConcurrency: 1, timeoutMs: 20 });
  await expect(api('wait').invoke(inbound())).rejects.toMatchObject({ code: 'deadline_exceeded' });
  await expect(api('quick').invoke(inbound())).rejects.toMatchObject({ code: 'too_many_requests' });
  gate.open(undefined);
  await nextTurn();
  expect(await api('quick').invoke(inbound())).toMatchObject({ result: 1 });
});

test('a call that never began gives its slot back', async () => {
  const api = createTestEndpoints({ quick: () => 1 }, { maxConcurrency: 1 });
  await expect(api('quick').invoke(inbound({ signal: AbortSignal.abort() }))).rejects.toMatchObject({
    code: 'cancelled',
  });
  expect(await api('quick').invoke(inbound())).toMatchObject({ result: 1 });
});

import { ServeError } from '@bentots/errors';
import { expect, test } from 'vitest';
import { CommandQueue } from './command-queue.js';

test('commands run one after the other, in the order of asking, and a failed one stops nobody', async () => {
  const queue = new CommandQueue();
  const log: string[] = [];
  const gates = ['a', 'b', 'c'].map((name) => {
    const gate: { open: () => void; result: Promise<string> } = {
      open: () => undefined,
      result: queue.run(async () => {
        log.push(`${name} begins`);
        await new Promise<void>((resolve) => (gate.open = resolve));
        log.push(`${name} ends`);
        if (name === 'b') throw new Error('b fails');
        return name;
      }),
    };
    return gate;
  });
  const results = Promise.allSettled(gates.map(({ result }) => result));
  for (const [index, gate] of gates.entries()) {
    await expect.poll(() => log.at(-1)).toBe(`${['a', 'b', 'c'][index]} begins`);
    gate.open();
  }
  expect((await results).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
});

test('closed, it refuses those that wait and all that come, and the one that runs goes on', async () => {
  const queue = new CommandQueue();
  const gate: { open: () => void } = { open: () => undefined };
  const running = queue.run(() => new Promise<void>((resolve) => (gate.open = resolve)));
  const ran: string[] = [];
  const waiting = queue.run(async () => void ran.push('waiting'));
  await Promise.resolve();
  queue.close(new ServeError('unavailable', 'it is over'));
  await expect(waiting).rejects.toThrow('it is over');
  await expect(queue.run(async () => void ran.push('late'))).rejects.toThrow('it is over');
  expect(() => queue.throwIfClosed()).toThrow('it is over');
  gate.open();
  await running;
  expect(ran).toEqual([]);
});

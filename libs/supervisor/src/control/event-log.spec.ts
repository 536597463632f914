import { expect, test } from 'vitest';
import { EventLog } from './event-log.js';

const warning = (message: string) => ({ type: 'warning', message }) as const;

test('the newest events are kept, numbered from 1, in order', () => {
  const log = new EventLog(3);
  for (const message of ['a', 'b', 'c', 'd']) log.add(warning(message));
  expect(log.last(9)).toMatchObject([2, 3, 4].map((seq) => ({ seq })));
  expect(log.last(1)).toMatchObject([{ seq: 4, event: { message: 'd' } }]);
  expect(log.last(0)).toEqual([]);
});

test('who follows is told until it has enough, and may end it while being told', () => {
  const log = new EventLog(3);
  const seen: number[] = [];
  const end = log.follow(({ seq }) => {
    seen.push(seq);
    if (seq === 2) end();
  });
  for (let count = 0; count < 4; count += 1) log.add(warning('x'));
  expect(seen).toEqual([1, 2]);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Members, runApart } from './run-apart.js';

const guilty = new Error('guilty');

/** Members are numbers; those in `bad` make every batch throw that they are in. */
function numbers(bad: ReadonlySet<number>, gone: ReadonlySet<number> = new Set()) {
  const completed = new Map<number, number>();
  const failed = new Map<number, unknown>();
  /** Every execution; an empty one stands for a pause. */
  const executed: (readonly number[])[] = [];
  const members: Members<number, number> = {
    execute: async (group) => {
      executed.push(group);
      if (group.some((n) => bad.has(n))) throw guilty;
      return group.map((n) => n * 10);
    },
    isAwaited: (n) => !gone.has(n),
    complete: (n, output) => completed.set(n, output),
    fail: (n, error) => failed.set(n, error),
    verdictOn: () => 'failed',
    giveBack: () => undefined,
    lose: () => undefined,
    pause: async () => void executed.push([]),
  };
  return { members, completed, failed, executed };
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('a batch that is tried apart', () => {
  test('succeeds at the first try when nothing throws', async () => {
    const { members, completed, executed } = numbers(new Set());
    expect(await runApart([1, 2, 3], members)).toBe(true);
    expect(executed).toEqual([[1, 2, 3]]);
    expect([...completed]).toEqual([[1, 10], [2, 20], [3, 30]]); // prettier-ignore
  });

  test('fails only its guilty member, wherever it stands', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 64 }), fc.nat(63), async (count, at) => {
        const bad = at % count;
        const { members, completed, failed, executed } = numbers(new Set([bad]));
        expect(await runApart(upTo(count), members)).toBe(false);
        expect([...failed]).toEqual([[bad, guilty]]);
        expect(completed.size).toBe(count - 1);
        const tries = executed.filter((group) => group.length > 0);
        expect(tries.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count)) + 1);
      }),
    );
  });

  test('settles every member once, whoever is guilty, within a bounded number of failures', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 100 }), fc.array(fc.nat(99)), async (count, bad) => {
        const { members, completed, failed, executed } = numbers(new Set(bad));
        await runApart(upTo(count), members);
        expect([...completed.keys(), ...failed.keys()].sort((a, b) => a - b)).toEqual(upTo(count));
        const failures = executed.filter((group) => group.some((n) => bad.includes(n)));
        expect(failures.length).toBeLessThanOrEqual(4 * Math.ceil(Math.log2(count)) + 2);
      }),
    );
  });

  test('leaves out those whom nobody waits for', async () => {
    const { members, executed } = numbers(new Set([1]), new Set([2]));
    await runApart([1, 2, 3], members);
    expect(executed).toEqual([[1, 3], [], [1], [], [3]]);
  });

  test('blames the output count on the member that causes it', async () => {
    const { members, completed, failed } = numbers(new Set());
    const dropping = {
      ...members,
      execute: async (group: readonly number[]) => group.filter((n) => n !== 2),
    };
    await runApart([1, 2, 3], dropping);
    expect([...completed.keys()]).toEqual([1, 3]);
    expect(failed.get(2)).toMatchObject({
      code: 'internal',
      message: 'a batch of 1 requests was answered with 0 outputs; one per request is expected',
    });
  });
});

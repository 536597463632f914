import { type RunnerValue, Tensor } from '@bentots/service';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BatchArgs,
  type BatchOutput,
  checkBatchArgs,
  checkBatchOutput,
  countRows,
  joinArgs,
  joinOutputs,
  kindOfArgs,
  sliceOutput,
  splitArgs,
  valueOf,
} from './batch-call.js';

/** A float32 tensor whose elements count up from `first`. */
function counting(shape: readonly number[], first = 0): Tensor<'float32'> {
  const size = shape.reduce((product, length) => product * length, 1);
  return new Tensor(
    'float32',
    Float32Array.from({ length: size }, (_, i) => first + i),
    shape,
  );
}
const plain = (value: RunnerValue): unknown => JSON.parse(JSON.stringify(value));

describe('the arguments of a batchable call', () => {
  test('have the rows of their batch dimension', () => {
    expect(countRows(checkBatchArgs([counting([3, 4])], 0), 0)).toBe(3);
    expect(countRows(checkBatchArgs([counting([3, 4])], 1), 1)).toBe(4);
    expect(countRows(checkBatchArgs([['a', 'b']], 0), 0)).toBe(2);
  });

  test.each<[string, RunnerValue[], number]>([
    ['a batchable method takes at least one argument; got none', [], 0],
    ['argument 2 has 2 rows, argument 1 has 3: they must be equal', [counting([3, 4]), ['a', 'b']], 0],
    ['argument 1 has shape [3]; its batch dimension is 1', [counting([3])], 1],
    ['argument 2 is a string; a batchable method takes tensors, arrays and records of them', [['a'], 'b'], 0],
    ['argument 1 is null; a batchable method takes tensors, arrays and records of them', [null], 0],
    [
      'argument 1.mask has 3 rows, argument 1.ids has 2: they must be equal',
      [{ ids: counting([2, 4]), mask: counting([3]) }],
      0,
    ],
    [
      'argument 2["a b"].c has 1 rows, argument 1 has 2: they must be equal',
      [['x', 'y'], { 'a b': { c: ['z'] } }],
      0,
    ],
    [
      'argument 1.k is a number; a batchable method takes tensors, arrays and records of them',
      [{ ids: counting([2]), k: 1 }],
      0,
    ],
    ['argument 1.ids has shape [2]; its batch dimension is 1', [{ ids: counting([2]) }], 1],
    [
      'argument 1 is a record without members; a batchable method takes tensors, arrays and records of them',
      [{}],
      0,
    ],
  ])('are refused: %s', (message, args, dim) => {
    expect(() => checkBatchArgs(args, dim)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message }),
    );
  });

  test('are of one kind when only the number of rows differs', () => {
    const kind = (...args: BatchArgs): string => kindOfArgs(args, 0);
    expect(kind(counting([3, 4]), ['a'])).toBe(kind(counting([1, 4]), ['b', 'c']));
    expect(kind(counting([3, 4]))).not.toBe(kind(counting([3, 5])));
    expect(kind(counting([3, 4]))).not.toBe(kind(counting([3, 4]).astype('float64')));
    expect(kind(counting([3, 4]))).not.toBe(kind(counting([3, 4]), counting([3, 4])));
    expect(kind(counting([3]))).not.toBe(kind(['a', 'b', 'c']));
  });

  test('records are of one kind when their members are, in whatever order', () => {
    const kind = (...args: BatchArgs): string => kindOfArgs(args, 0);
    const [ids, mask] = [counting([3, 4]), ['a', 'b', 'c']];
    expect(kind({ ids, mask })).toBe(kind({ mask: ['d'], ids: counting([1, 4]) }));
    expect(kind({ ids, mask })).not.toBe(kind({ ids }));
    expect(kind({ ids, mask })).not.toBe(kind({ ids, mask: counting([3]) }));
    expect(kind({ ids })).not.toBe(kind({ ids: counting([3, 5]) }));
    expect(kind({ a: { ids } })).not.toBe(kind({ a: ids }));
    expect(kind({ 'a":list,"b': mask })).not.toBe(kind({ a: mask, b: mask }));
  });

  test('records are joined and split member by member, named as they please', () => {
    const named = (first: number, rows: number): BatchArgs => [
      Object.fromEntries([
        ['ids', counting([rows, 2], first)],
        ['__proto__', { tags: Array.from({ length: rows }, (_, i) => `t${first + i}`) }],
      ]),
    ];
    const joined = joinArgs([named(0, 1), named(10, 2)], 0);
    expect(countRows(joined, 0)).toBe(3);
    expect(JSON.stringify(joined)).toBe(
      '[{"ids":[[0,1],[10,11],[12,13]],"__proto__":{"tags":["t0","t10","t11"]}}]',
    );
    const parts = splitArgs(joined, 0, 2);
    expect(parts.map((part) => countRows(part, 0))).toEqual([2, 1]);
    expect(JSON.stringify(joinArgs(parts, 0))).toBe(JSON.stringify(joined));
  });

  test('are joined argument by argument', () => {
    const calls: BatchArgs[] = [
      [counting([1, 2]), ['a']],
      [counting([2, 2], 10), ['b', 'c']],
    ];
    expect(plain(joinArgs(calls, 0))).toEqual([[[0, 1], [10, 11], [12, 13]], ['a', 'b', 'c']]); // prettier-ignore
  });

  test('are the same after a split and a join, whatever the shape and the batch dimension', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
        fc.nat(3),
        fc.integer({ min: 1, max: 6 }),
        (shape, at, maxRows) => {
          const dim = at % shape.length;
          const rows = shape[dim] ?? 0;
          const list = Array.from({ length: rows }, (_, i) => i);
          const record = { ids: counting(shape, 100), deep: { list } };
          const args = checkBatchArgs([counting(shape), list, record], dim);
          const parts = splitArgs(args, dim, maxRows);
          expect(parts.map((part) => countRows(part, dim)).every((n) => n >= 1 && n <= maxRows)).toBe(true);
          expect(plain(joinArgs(parts, dim))).toEqual(plain(args));
        },
      ),
    );
  });
});

describe('the output of a batchable call', () => {
  test('is cut into as many rows as each call brought', () => {
    const cut = (value: RunnerValue, dim: number, counts: number[]): unknown => {
      const rows = counts.reduce((sum, count) => sum + count, 0);
      return sliceOutput(checkBatchOutput(value, dim, rows), dim, counts).map((part) => plain(valueOf(part)));
    };
    expect(cut(counting([3, 2]), 0, [1, 2])).toEqual([[[0, 1]], [[2, 3], [4, 5]]]); // prettier-ignore
    expect(cut(counting([2, 3]), 1, [2, 1])).toEqual([[[0, 1], [3, 4]], [[2], [5]]]); // prettier-ignore
    expect(cut(['a', { b: 1 }, null], 0, [1, 2])).toEqual([['a'], [{ b: 1 }, null]]);
    expect(cut([counting([2]), counting([2, 1], 5)], 0, [1, 1])).toEqual([[[0], [[5]]], [[1], [[6]]]]); // prettier-ignore
    expect(cut([], 0, [0])).toEqual([[]]);
    expect(cut({ logits: counting([3, 1]), text: ['a', null, 'c'] }, 0, [1, 2])).toEqual([
      { logits: [[0]], text: ['a'] },
      { logits: [[1], [2]], text: [null, 'c'] },
    ]);
  });

  test('an array of nothing but tensors is several outputs, even when it is as long as the batch', () => {
    expect(checkBatchOutput([counting([2]), counting([2])], 0, 2).kind).toBe('outputs');
    expect(checkBatchOutput([counting([1])], 0, 1).kind).toBe('outputs');
    expect(checkBatchOutput([counting([1]), null], 0, 2).kind).toBe('list');
  });

  test.each<[string, RunnerValue]>([
    ['the result has 3 rows for a batch of 2; one per row is expected', counting([3, 1])],
    ['the result has 1 rows for a batch of 2; one per row is expected', ['a']],
    ['output 2 has 1 rows for a batch of 2; one per row is expected', [counting([2]), counting([1])]],
    ['the result has shape []; its batch dimension is 0', new Tensor('float32', Float32Array.of(1), [])],
    ['the result is a number; a batchable method answers with a tensor, an array or a record of them', 7],
    [
      'the result is undefined; a batchable method answers with a tensor, an array or a record of them',
      undefined,
    ],
    [
      'the result is a record without members; a batchable method answers with a tensor, an array or a record of them',
      {},
    ],
    [
      'result.mask has 3 rows for a batch of 2; one per row is expected',
      { ids: counting([2]), mask: counting([3]) },
    ],
    ['result.a["b c"] has 1 rows for a batch of 2; one per row is expected', { a: { 'b c': ['x'] } }],
    [
      'result.all output 2 has 1 rows for a batch of 2; one per row is expected',
      { all: [counting([2]), counting([1])] },
    ],
    [
      'result.model is a string; a batchable method answers with a tensor, an array or a record of them',
      { ids: counting([2]), model: 'v1' },
    ],
  ])('is refused: %s', (message, value) => {
    expect(() => checkBatchOutput(value, 0, 2)).toThrow(
      expect.objectContaining({ code: 'internal', message }),
    );
  });

  test('is the same after it was cut and joined, in every form', () => {
    const form = fc.constantFrom<(rows: number) => RunnerValue>(
      (rows) => counting([rows, 3]),
      (rows) => [counting([rows]), counting([rows, 2], 100)],
      (rows) => Array.from({ length: rows }, (_, i) => `row ${i}`),
      (rows) => ({
        logits: counting([rows, 2]),
        deep: { list: Array.from({ length: rows }, (_, i) => ({ i })) },
      }),
    );
    const counts = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(form, counts, (make, rowCounts) => {
        const rows = rowCounts.reduce((sum, count) => sum + count, 0);
        const output = checkBatchOutput(make(rows), 0, rows);
        const joined = joinOutputs(sliceOutput(output, 0, rowCounts), 0);
        expect(joined.kind).toBe(output.kind);
        expect(plain(valueOf(joined))).toEqual(plain(make(rows)));
      }),
    );
  });

  test('parts of different forms cannot be joined', () => {
    const parts: BatchOutput[] = [
      { kind: 'tensor', tensor: counting([1]) },
      { kind: 'list', values: [1] },
    ];
    expect(() => joinOutputs(parts, 0)).toThrow('answered in different forms: tensor, list');
    const records = [{ a: counting([1]) }, { b: counting([1]) }].map((value) =>
      checkBatchOutput(value, 0, 1),
    );
    expect(() => joinOutputs(records, 0)).toThrow('answered in different forms: {a}, {b}');
    const outputs = [[counting([1])], [counting([1]), counting([1])]].map((value) =>
      checkBatchOutput(value, 0, 1),
    );
    expect(() => joinOutputs(outputs, 0)).toThrow('answered in different forms: 1 outputs, 2 outputs');
  });
});

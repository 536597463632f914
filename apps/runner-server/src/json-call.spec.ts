import { batchable, FileValue, method, type RunnerMethodSpec, Tensor } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { formatJson, formatJsonAnswer, parseJsonArgs } from './json-call.js';

const batched: RunnerMethodSpec = { ...batchable(), stream: false, concurrency: 1, blocks: true };
const single: RunnerMethodSpec = { ...method(), stream: false, concurrency: 1, blocks: true };

describe('arguments in JSON', () => {
  test('nested numbers are a tensor where calls are batched, and plain JSON elsewhere', () => {
    const [tensor] = parseJsonArgs('[[1,2],[3,4]]', batched);
    expect(tensor).toMatchObject({ dtype: 'float32', shape: [2, 2] });
    expect(parseJsonArgs('[[1,2],[3,4]]', single)).toEqual([[[1, 2], [3, 4]]]); // prettier-ignore
    expect(parseJsonArgs('["a","b"]', batched)).toEqual([['a', 'b']]);
    expect(parseJsonArgs('[]', batched)).toEqual([[]]);
  });

  test('a tensor may be said with its dtype, for any method', () => {
    const [tensor] = parseJsonArgs('{"tensor": [[1, 2]], "dtype": "int32"}', single);
    expect(tensor).toMatchObject({ dtype: 'int32', shape: [1, 2] });
    expect(parseJsonArgs('{"tensor": [1], "name": "x"}', single)).toEqual([{ tensor: [1], name: 'x' }]);
  });

  test('tensors may be named', () => {
    const [named] = parseJsonArgs('{"ids": {"tensor": [1, 2], "dtype": "int32"}, "top": 3}', single);
    expect(named).toMatchObject({ ids: { dtype: 'int32', shape: [2] }, top: 3 });
    const [batch] = parseJsonArgs('{"ids": [[1], [2]], "words": ["a", "b"]}', batched);
    expect(batch).toMatchObject({ ids: { shape: [2, 1] }, words: ['a', 'b'] });
  });

  test('several come as args; no body is none', () => {
    expect(parseJsonArgs('{"args": [1, "b", {"c": 2}]}', single)).toEqual([1, 'b', { c: 2 }]);
    expect(parseJsonArgs('{"args": [1], "more": 1}', single)).toEqual([{ args: [1], more: 1 }]);
    expect(parseJsonArgs(' ', single)).toEqual([]);
  });

  test.each([
    ['{', 'the body is no JSON'],
    ['{"tensor": [1], "dtype": "float16"}', 'dtype "float16" is not known'],
    ['{"tensor": [[1], [2, 3]]}', 'ragged array'],
  ])('%s is refused', (body, message) => {
    expect(() => parseJsonArgs(body, single)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringContaining(message) as string,
      }),
    );
  });
});

describe('answers in JSON', () => {
  test('tensors are nested arrays, also inside of others', () => {
    const tensor = Tensor.from([[1, 2]]);
    expect(formatJsonAnswer(tensor)).toEqual({ contentType: 'application/json', body: '[[1,2]]\n' });
    expect(formatJson([tensor, 'x', null])).toBe('[[[1,2]],"x",null]');
    expect(formatJson(undefined)).toBe('null');
  });

  test('a file is sent as it is, and refused inside of another value', () => {
    const file = new FileValue(Buffer.from('a,b'), { mimeType: 'text/csv' });
    expect(formatJsonAnswer(file)).toEqual({ contentType: 'text/csv', body: Buffer.from('a,b') });
    expect(() => formatJson([file])).toThrow(expect.objectContaining({ code: 'unimplemented' }));
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatPath } from './format-path.js';

test.each<[PropertyKey[], string]>([
  [[], 'the root'],
  [['user'], 'user'],
  [['user', 'tags', 2, 'name'], 'user.tags[2].name'],
  [[0, 1], '[0][1]'],
  [['odd key', 'a-b'], '["odd key"]["a-b"]'],
  [['$x', '_y'], '$x._y'],
  [[''], '[""]'],
])('%j is %s', (path, text) => {
  expect(formatPath(path)).toBe(text);
});

test('the path, read as code, leads to the place', () => {
  const keys = fc.array(fc.oneof(fc.string(), fc.nat(9)), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(keys, (path) => {
      const root = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), 'found');
      const text = formatPath(path);
      const read = new Function('root', `return root${text.startsWith('[') ? '' : '.'}${text}`);
      // `__proto__` as code means something else than the property of that name.
      fc.pre(!path.includes('__proto__'));
      expect(read(root)).toBe('found');
    }),
  );
});

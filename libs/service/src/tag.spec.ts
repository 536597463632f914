import fc from 'fast-check';
import { expect, test } from 'vitest';
import { caught } from '../test/caught.js';
import { checkTagPart } from './tag.js';

test.each(['a', '0', 'iris', 'iris-v1.2_b', 'a--b', '9.9', 'x'.repeat(63)])('%s is a name', (name) => {
  expect(checkTagPart('service name', name)).toBe(name);
});

test.each([
  ['', "service name '' is not valid"],
  ['-a', "service name '-a' is not valid"],
  ['a.', "service name 'a.' is not valid"],
  ['a b', "service name 'a b' is not valid"],
  ['iris:v1', "service name 'iris:v1' is not valid"],
  ['naïve', "service name 'naïve' is not valid"],
  ['a\n', 'is not valid'],
  ['x'.repeat(64), 'has 64 characters, at most 63 are allowed'],
  [7, 'service name is number, expected a string'],
])('%j is refused', async (name, message) => {
  const error = await caught(() => checkTagPart('service name', name));
  expect(error.code).toBe('service_invalid');
  expect(error.message).toContain(message);
});

test('capitals are lowered with a warning that names both', async () => {
  const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
  expect(checkTagPart('runner name', 'IrisV2')).toBe('irisv2');
  expect((await warning).message).toBe("runner name 'IrisV2' is lowered to 'irisv2'");
});

test('what is accepted is accepted again, unchanged', () => {
  const word = fc.stringMatching(/^[a-z0-9]([-._a-z0-9]{0,61}[a-z0-9])?$/);
  fc.assert(fc.property(word, (name) => checkTagPart('tag', checkTagPart('tag', name)) === name));
});

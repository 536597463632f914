import { Service } from '@bentots/service';
import { expect, test } from 'vitest';
import { pickService } from './pick-service.js';

const one = new Service('one');
const two = new Service('two');

test('the only service is picked, under however many names', () => {
  expect(pickService({ svc: one, default: one, other: 1 }, undefined, 'a.ts')).toBe(one);
});

test('several services are listed, and one to choose', () => {
  expect(() => pickService({ one, b: two, again: one }, undefined, 'a.ts')).toThrow(
    expect.objectContaining({
      code: 'service_invalid',
      message: "a.ts exports 3 services: one ('one'), b ('two'), again ('one'); name one of them: a.ts:one",
    }),
  );
});

test('a module without a service is told what it has', () => {
  const exports = { limit: 1, list: [], when: new Date(0), nothing: null, make: () => one };
  expect(() => pickService(exports, undefined, 'a.ts')).toThrow(
    expect.objectContaining({
      code: 'service_invalid',
      message: expect.stringContaining(
        'it has limit (a number), list (an array), when (a Date), nothing (null), make (a function)',
      ),
    }),
  );
  expect(() => pickService({}, undefined, 'a.ts')).toThrow('it has no exports');
});

test('a dotted attribute is followed through objects', () => {
  expect(pickService({ one, group: { inner: { two } } }, ['group', 'inner', 'two'], 'a.ts')).toBe(two);
});

test('a missing part of an attribute is named, with what is there', () => {
  expect(() => pickService({ group: { two } }, ['group', 'x', 'y'], 'a.ts')).toThrow(
    expect.objectContaining({
      code: 'service_not_found',
      message: "group of a.ts has no 'x'; it has two (Service 'two')",
    }),
  );
  expect(() => pickService({ size: 1 }, ['size', 'x'], 'a.ts')).toThrow(
    "size of a.ts has no 'x'; it has nothing",
  );
});

test('an attribute that is something else is refused with its kind', () => {
  expect(() => pickService({ one, make: () => one }, ['make'], 'a.ts')).toThrow(
    expect.objectContaining({
      code: 'service_invalid',
      message: "'make' of a.ts is a function, not a Service; it has one (Service 'one'), make (a function)",
    }),
  );
});

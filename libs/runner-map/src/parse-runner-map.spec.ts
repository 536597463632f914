import { describe, expect, test } from 'vitest';
import { formatRunnerMap, parseRunnerMap } from './parse-runner-map.js';

const one = { a: ['tcp://h:1'], b: ['unix:///s/b.sock'] };
const replicated = { a: ['tcp://h:1', 'tcp://h:2', 'unix:///a'] };

describe('parseRunnerMap', () => {
  test.each([
    ['entries apart by white space', ' a=tcp://h:1\n\tb=unix:///s/b.sock '],
    ['repeated texts', ['a=tcp://h:1', 'b=unix:///s/b.sock']],
    ['JSON text', '{"a":"tcp://h:1","b":["unix:///s/b.sock"]}'],
    ['JSON among texts', ['a=tcp://h:1', '{"b":"file:///s/b.sock"}']],
    ['an object', { a: 'tcp://h:1', b: ['unix:///s/b.sock'] }],
    ['the same address twice', ['a=tcp://h:1', 'a=tcp://h:1', 'b=unix:///s/b.sock']],
  ])('%s make the same map', (_form, input) => {
    expect(formatRunnerMap(parseRunnerMap(input))).toEqual(one);
  });

  test.each([
    ['repetition', 'a=tcp://h:1 a=tcp://h:2 a=unix:///a'],
    ['commas', 'a=tcp://h:1,tcp://h:2,unix:///a'],
    ['an array', { a: ['tcp://h:1', 'tcp://h:2', 'unix:///a'] }],
    ['a mix', { a: ['tcp://h:1, tcp://h:2', 'unix:///a'] }],
  ])('replicas are given by %s', (_form, input) => {
    expect(formatRunnerMap(parseRunnerMap(input))).toEqual(replicated);
  });

  test('only the first = splits, and commas in paths stay', () => {
    expect(parseRunnerMap('a=unix:///x=y,z').get('a')).toEqual([{ kind: 'unix', path: '/x=y,z' }]);
  });

  test('nothing is an empty map', () => {
    expect([parseRunnerMap('').size, parseRunnerMap([]).size, parseRunnerMap({}).size]).toEqual([0, 0, 0]);
  });

  test('names that mean something to JavaScript are names', () => {
    const map = parseRunnerMap('{"__proto__":"tcp://h:1","constructor":"tcp://h:2"}');
    expect([...map.keys()]).toEqual(['__proto__', 'constructor']);
    expect(Object.keys(formatRunnerMap(map))).toEqual(['__proto__', 'constructor']);
  });

  test.each([
    ['a', "entry 'a' has no '='"],
    ['=tcp://h:1', "entry '=tcp://h:1' has no name"],
    ['a=', "entry 'a=' has no address"],
    ['ok=tcp://h:1 a=tcp://h', "entry 'a=tcp://h': runner address 'tcp://h' has no port"],
    ['a=tcp://h:1,,tcp://h:2', "port '1,'"],
    ['{"a":1}', "entry 'a' has a number for an address"],
    ['{"a":[]}', "entry 'a' has no address"],
    ['{"a":{}}', "entry 'a' has an object"],
    ['{"a"', 'not valid JSON'],
  ])('%s is refused with its entry', (input, words) => {
    expect(() => parseRunnerMap(input)).toThrow(
      expect.objectContaining({ code: 'runner_map_invalid', message: expect.stringContaining(words) }),
    );
  });

  test('an address error keeps its part and gains the entry', () => {
    expect(() => parseRunnerMap('a=http://h:1')).toThrow(
      expect.objectContaining({ details: { address: 'http://h:1', part: 'scheme', entry: 'a=http://h:1' } }),
    );
  });
});

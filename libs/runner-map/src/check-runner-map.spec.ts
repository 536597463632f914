import { expect, test } from 'vitest';
import { checkRunnerMap } from './check-runner-map.js';
import { parseRunnerMap } from './parse-runner-map.js';

const service = {
  name: 'read_digits',
  runners: [
    { name: 'segmenter', embedded: false },
    { name: 'classifier', embedded: false },
    { name: 'cleaner', embedded: true },
  ],
};

test('a map that covers every runner passes, embedded ones exempt and extra entries allowed', () => {
  const map = parseRunnerMap('classifier=tcp://h:1 segmenter=tcp://h:2 other=tcp://h:3');
  expect(() => checkRunnerMap(map, service)).not.toThrow();
});

test('a missing runner is named first, then both sets', () => {
  expect(() => checkRunnerMap(parseRunnerMap('classifier=tcp://h:1 x=tcp://h:2'), service)).toThrow(
    expect.objectContaining({
      code: 'runner_map_invalid',
      message:
        "the runner map lacks 'segmenter': service 'read_digits' needs 'segmenter', 'classifier', " +
        "the map has 'classifier', 'x'; add 'segmenter=tcp://host:port'",
      details: { missing: ['segmenter'], required: ['segmenter', 'classifier'], mapped: ['classifier', 'x'] },
    }),
  );
});

test('an empty map says that it has no entry', () => {
  expect(() => checkRunnerMap(parseRunnerMap(''), service)).toThrow(/has no entry/);
});

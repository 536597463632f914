import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readRunnerMap } from './read-runner-map.js';

describe('readRunnerMap', () => {
  const text = '{"a":"tcp://h:1"}';
  const folder = mkdtempSync(join(tmpdir(), 'bentots-config-'));
  const file = join(folder, 'map.json');
  beforeAll(() => writeFileSync(file, text));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(['a=tcp://h:1', text, ' {"a":"x"}', '[]', ''])('%j is the map itself', (inline) => {
    expect(readRunnerMap(inline, {})).toBe(inline);
  });

  test('a path is replaced by what the file holds, with or without @', () => {
    expect(readRunnerMap(file, {})).toBe(text);
    expect(readRunnerMap(`@${file}`, {})).toBe(text);
    expect(readRunnerMap(undefined, { BENTOTS_SERVE_RUNNER_MAP: `@${file}` })).toBe(text);
  });

  test('@ makes a file of a text that looks like an entry', () => {
    expect(() => readRunnerMap('@a=b.json', {})).toThrow(/"@a=b.json" is neither .* and no file: ENOENT/);
  });

  test('a file that is missing is refused by name', () => {
    const missing = join(folder, 'other.json');
    expect(() => readRunnerMap(missing, {})).toThrow(
      expect.objectContaining({ code: 'runner_map_invalid', message: expect.stringContaining(missing) }),
    );
  });

  test('the option wins over the variables', () => {
    const env = { BENTOTS_SERVE_RUNNER_MAP: 'b=tcp://h:2' };
    expect(readRunnerMap({ a: 'tcp://h:1' }, env)).toEqual({ a: 'tcp://h:1' });
  });

  test('both variables at once contradict each other', () => {
    const env = { BENTOTS_SERVE_RUNNER_MAP: 'a=tcp://h:1', BENTOTS_SERVE_REMOTE_RUNNER: 'a=tcp://h:2' };
    expect(() => readRunnerMap(undefined, env)).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message: 'BENTOTS_SERVE_RUNNER_MAP and BENTOTS_SERVE_REMOTE_RUNNER are both set; unset one',
      }),
    );
  });
});

import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { createGrpcCommand, createHttpCommand, createRunnerCommand, createServeCommand } from './commands.js';

const doc = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

/** Lines of the tables of options. */
const rows = doc.split('\n').filter((line) => /^\| `[a-z]/.test(line));

const commands = [createServeCommand(), createHttpCommand(), createGrpcCommand(), createRunnerCommand()];
const flags = commands.flatMap((command) =>
  command.options.map((option) => ({
    command: command.name(),
    long: option.long ?? '',
    text: option.description,
  })),
);

/** Flags that are no options of a server. */
const OWN = ['--dry-run', '--bind'];

const options = flags.filter(({ long }) => !OWN.includes(long));

test.each(options)(
  '$command: $long is in docs/configuration.md, with the same variable',
  ({ long, text }) => {
    const row = rows.find((line) => line.includes(`\`${long}\``));
    expect(row, `no row has ${long}`).toBeDefined();
    const variable = /\[(BENTOTS_[A-Z_]+)/.exec(text)?.[1];
    if (variable !== undefined) expect(row).toContain(`\`${variable}\``);
  },
);

test('docs/configuration.md has no flag that no command has', () => {
  const documented = rows.flatMap((row) => row.match(/--[a-z-]+/g) ?? []);
  expect(documented.filter((name) => !flags.some(({ long }) => long === name))).toEqual([]);
});

test('every flag says what it does and, unless it is a plain switch of the command, its variable', () => {
  const silent = ['--dry-run', '--bind', '--quiet', '--verbose'];
  const without = flags.filter(({ long, text }) => !silent.includes(long) && !text.includes('[BENTOTS_'));
  expect(without).toEqual([]);
});

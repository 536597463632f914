import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { COMMAND_DEFAULTS } from './command-defaults.js';
import type { Field } from './field.js';
import { grpcServerFields, httpServerFields, runnerServerFields, serveFields } from './option-fields.js';

const doc = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

/** Rows `| option | flag | variable | default | … |` of the documentation, by option. */
const rows = new Map(
  doc
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .filter((cells) => cells.length > 4 && /^[a-z][A-Za-z]*$/.test(cells[1] ?? ''))
    .map((cells) => [cells[1], cells]),
);

const fields: Record<string, Field<unknown>> = {
  ...runnerServerFields,
  ...grpcServerFields,
  ...serveFields,
  ...httpServerFields,
};

test.each(Object.entries(fields))('docs/configuration.md tells of %s what the code does', (name, field) => {
  const row = rows.get(name);
  expect(row, `no row for ${name}`).toBeDefined();
  if (field.env !== undefined) expect(row?.[3]).toBe(field.env);
  if (typeof field.initial === 'string' || typeof field.initial === 'boolean') {
    expect(row?.[4]).toBe(String(field.initial));
  }
  if (field.initial === 0 && /port$/i.test(name)) expect(row?.[4]).toContain('a free one');
  else if (typeof field.initial === 'number') expect(row?.[4]).toContain(String(field.initial));
});

test.each(Object.values(COMMAND_DEFAULTS).flatMap((ports) => Object.entries(ports)))(
  'docs/configuration.md tells that %s is free for the functions, and %i for a command',
  (name, port) => {
    expect(rows.get(name)?.[4]).toMatch(new RegExp(`^a free one; commands: .*\\b${port}\\b`));
  },
);

test('docs/configuration.md tells of no option that does not exist', () => {
  expect([...rows.keys()].filter((name) => name !== 'option' && !Object.hasOwn(fields, name ?? ''))).toEqual(
    [],
  );
});

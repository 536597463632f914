import { readdirSync, readFileSync } from 'node:fs';
import { ERROR_TABLE, EXIT } from '@bentots/errors';
import { describe, expect, test } from 'vitest';
import { fixture, httpPlan } from '../test/tree.js';
import { Arbiter } from './arbiter.js';
import { compilePlan } from './plan.js';
import { DEFAULT_RESTART_POLICY } from './restart-policy.js';
import { handleSignals, SAME_WISH_MS } from './signals.js';
import { HOLD_MS } from './slot.js';
import { PROCESS_MOVES, TREE_MOVES, WORKER_MOVES } from './states.js';

const library = new URL('..', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, library), 'utf8');
const doc = read('../../docs/life-of-a-process.md');
const readme = read('README.md');

/** The cells of the table below a heading, row by row, without its head. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  const section = doc.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/life-of-a-process.md', () => {
  test('draws every state of a worker, and no move that is not allowed', () => {
    const arrows = [...doc.matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from = '', to = '']) => [
      from.replaceAll('_', '-'),
      to.replaceAll('_', '-'),
    ]);
    const allowed = Object.entries(WORKER_MOVES).flatMap(([from, next]) => next.map((to) => `${from} ${to}`));
    expect(allowed).toEqual(expect.arrayContaining(arrows.map((arrow) => arrow.join(' '))));
    expect(new Set(arrows.flat())).toEqual(new Set(Object.keys(WORKER_MOVES)));
  });

  test.each([
    ['process', PROCESS_MOVES],
    ['tree', TREE_MOVES],
  ])('names every state of a %s, as the README does', (_, moves) => {
    for (const state of Object.keys(moves)) {
      expect(doc).toContain(state);
      expect(readme).toContain(state);
    }
  });

  test('tells of every signal that an arbiter handles', () => {
    const before = new Set(process.eventNames());
    const stopHandling = handleSignals(new Arbiter(httpPlan()));
    const handled = process.eventNames().filter((name) => !before.has(name));
    stopHandling();
    const told = rowsBelow('Signals').flatMap(([to, signals = '']) =>
      to === 'arbiter' ? signals.split(', ') : [],
    );
    // What nobody can handle is told, too, and what a second one does.
    const names = handled.map((name) => String(name).replace('SIG', ''));
    expect(new Set(names)).toEqual(new Set(told.filter((name) => !['KILL', 'a second one'].includes(name))));
  });

  test('tells of every exit code, and of no other', () => {
    const told = rowsBelow('Exit codes').flatMap(([codes = '']) => {
      const [from = 0, to = from] = codes.split('–').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
    const codes = [...Object.values(EXIT), ...Object.values(ERROR_TABLE).map(({ exit }) => exit)];
    expect(told).toEqual([...new Set(codes)].sort((a, b) => a - b));
  });

  test('tells the time limits as they are', () => {
    const limits = new Map(rowsBelow('Time limits').map(([what = '', limit = '']) => [what, limit]));
    const limitOf = (start: string): string =>
      [...limits].find(([what]) => what.startsWith(start))?.[1] ?? `nothing is said of '${start}'`;
    const plan = {
      name: 'plain',
      sockets: [],
      watchers: [{ name: 'web', entry: fixture('http-worker.mjs'), numProcesses: 1 }],
    };
    const { watchers, lameDuckMs } = compilePlan(plan);
    const [watcher] = watchers;
    expect(limitOf('start of a worker')).toBe(`${(watcher?.readyTimeoutMs ?? 0) / 1000} s`);
    expect(limitOf('stop of a watcher')).toBe(`${(watcher?.graceMs ?? 0) / 1000} s`);
    expect(limitOf('heartbeat')).toContain(`limit ${(watcher?.heartbeatLimitMs ?? 0) / 1000} s`);
    expect(limitOf('lame-duck time')).toBe(String(lameDuckMs));
    expect(limitOf('signals that count')).toBe(`${SAME_WISH_MS} ms`);
    expect(limitOf('a worker that left')).toBe(`${HOLD_MS} ms`);
    const { maxCrashes, windowMs, resetAfterMs, maxDelayMs, initialDelayMs } = DEFAULT_RESTART_POLICY;
    expect(limitOf('crash loop')).toMatch(
      new RegExp(`more than ${maxCrashes} crashes .* in ${windowMs / 1000} s; .* ${resetAfterMs / 1000} s`),
    );
    expect(limitOf('delay after a crash')).toMatch(
      new RegExp(`^0, then ${initialDelayMs} ms doubled, at most ${maxDelayMs / 1000} s`),
    );
  });
});

describe('at one sitting', () => {
  const linesOf = (path: string): number => read(path).split('\n').length - 1;

  test('every file of the library can be read', () => {
    const files = ['src', 'test'].flatMap((folder) =>
      readdirSync(new URL(folder, library), { recursive: true, encoding: 'utf8' })
        .filter((name) => /\.(ts|mjs)$/.test(name))
        .map((name) => `${folder}/${name}`),
    );
    expect(files.length).toBeGreaterThan(80);
    expect(files.filter((file) => linesOf(file) > 350)).toEqual([]);
  });

  test('its README explains it in a page', () => {
    expect(linesOf('README.md')).toBeLessThanOrEqual(40);
    for (const word of ['Arbiter', 'Socket', 'Watcher', 'process']) expect(readme).toContain(`**${word}**`);
  });
});

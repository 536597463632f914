import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

/** Rows of the tables that the quick form of a bench prints, cells trimmed. */
async function rowsOf(bench: string): Promise<string[][]> {
  const main = fileURLToPath(new URL(`./${bench}/main.ts`, import.meta.url));
  const args = ['--import', 'tsx', main, '--quick', '--no-results'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const rows = stdout.split('\n').filter((line) => line.startsWith('|'));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const cellOf = (rows: string[][], column: string, ...first: string[]): string => {
  const head = rows.find((row) => row.includes(column)) ?? [];
  const row = rows.find((cells) => first.every((cell, i) => cells[i] === cell)) ?? [];
  return row[head.indexOf(column)] ?? '';
};

// Each starts the built servers as its users would; how fast they are is nobody's test.
describe('quick forms measure real servers', { timeout: 300_000 }, () => {
  test('batching: both ways answer, rightly', async () => {
    const rows = await rowsOf('batching');
    for (const clients of ['1', '32']) {
      for (const way of ['one by one', 'up to 32 rows together']) {
        expect(Number.parseFloat(cellOf(rows, way, clients)), `${clients}, ${way}`).toBeGreaterThan(0);
      }
    }
  });

  test('overload: nothing is lost without a word', async () => {
    const rows = await rowsOf('overload');
    for (const load of ['0.8 ×', '2 ×']) {
      expect(cellOf(rows, 'lost', 'timed', load)).toBe('0');
      expect(Number(cellOf(rows, 'goodput /s', 'timed', load))).toBeGreaterThan(0);
    }
  });

  test('agree: every batch took what it should at least', async () => {
    const rows = await rowsOf('agree');
    for (const load of ['110/s Poisson', '8 clients']) {
      const [took, should] = cellOf(rows, 'a batch took (should) ms', load)
        .split(/[ ()]+/)
        .map(Number);
      expect(took).toBeGreaterThanOrEqual((should ?? NaN) - 0.1);
    }
  });

  test('balance: every worker gets work, and no call fails', async () => {
    const rows = await rowsOf('balance');
    for (const load of ['60', '160']) {
      for (const way of ['in turn', 'the worker that is free']) {
        expect(cellOf(rows, 'share of each worker, first round', load, way)).toMatch(
          /^10 ms.* · 10 ms.* · 40 ms/,
        );
        expect(cellOf(rows, 'failed', load, way)).toBe('0');
      }
    }
  });
});

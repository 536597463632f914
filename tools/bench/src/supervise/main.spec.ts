import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

// It starts four trees, one after the other.
test('the quick form measures real trees in each of its three parts', { timeout: 180_000 }, async () => {
  const args = ['--import', 'tsx', main, '--quick', '--no-results'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const rows = stdout.split('\n').filter((line) => line.startsWith('|'));
  const row = (...cells: string[]): string[] =>
    (rows.find((line) => cells.every((cell) => line.includes(`| ${cell} `))) ?? '')
      .split('|')
      .map((cell) => cell.trim());
  for (const watcher of ['http_api', 'grpc_api', 'runner:echo']) {
    const [, , , kills, noticed, ready] = row(watcher);
    expect(kills, watcher).toBe('1');
    expect(Number.parseFloat(noticed ?? ''), watcher).toBeGreaterThan(0);
    expect(Number.parseFloat(ready ?? ''), watcher).toBeGreaterThan(0);
  }
  for (const scheme of ['http', 'grpc', 'https']) expect(row(scheme, '2').join()).toContain('8 8 · 50 %');
  const [, , , accept, asked, failed] = row('streams of 10 messages');
  expect([accept, failed]).toEqual(['shared', '0']);
  expect(Number(asked)).toBeGreaterThan(10);
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { endTrees, eventually, Tree } from '../../test/tree.js';
import type { OutputSpec, Plan, WatcherSpec } from '../index.js';
import { copyLines, MAX_LINE_BYTES } from './copy-lines.js';
import { FileSink, type LineSink } from './line-sink.js';

afterEach(endTrees);

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'supervisor-output-'));

/** A plan of one shell script whose output goes somewhere. */
function shellPlan(script: string, output: OutputSpec, watcher: Partial<WatcherSpec> = {}): Plan {
  const shell = { name: 'shell', command: 'sh', args: ['-c', script], numProcesses: 1, graceMs: 8000 };
  return { name: 'test', sockets: [{ name: 'http' }], watchers: [{ ...shell, output, ...watcher }] };
}

/** A tree whose own output is read. */
function startPiped(plan: Plan): { tree: Tree; stdout: Promise<string>; stderr: Promise<string> } {
  const tree = new Tree(plan, {}, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  const { stdout, stderr } = tree.child;
  if (stdout === null || stderr === null) throw new Error('no pipes');
  return { tree, stdout: text(stdout), stderr: text(stderr) };
}

describe("output 'prefix'", () => {
  test('names the worker before each line, of standard output and error apart', async () => {
    const script = 'echo one; echo two; printf rest; echo wrong >&2; echo >&$NOTIFY_FD; exec sleep 1000';
    const watcher = { numProcesses: 2, readiness: 'fd' } as const;
    const { tree, stdout, stderr } = startPiped(shellPlan(script, 'prefix', watcher));
    await tree.event('tree', ({ state }) => state === 'running');
    tree.kill('SIGTERM');
    const lines = (await stdout).split('\n');
    for (const id of [1, 2]) {
      const own = lines.filter((line) => line.startsWith(`shell.${id} | `));
      expect(own.map((line) => line.slice(10))).toEqual(['one', 'two', 'rest']);
    }
    expect((await stderr).split('\n').sort()).toEqual(['', 'shell.1 | wrong', 'shell.2 | wrong']);
  });

  test('loses nothing of what a worker prints before it crashes', async () => {
    const policy = { restart: { maxCrashes: 0 } };
    const script = 'sleep 0.2; seq 1 20000; exit 3';
    const { tree, stdout } = startPiped(shellPlan(script, 'prefix', policy));
    expect(await tree.exited).toBe(8);
    const lines = (await stdout).trimEnd().split('\n');
    expect(lines).toHaveLength(20_000);
    expect(lines.at(-1)).toBe('shell.1 | 20000');
  });

  test('is read on though something that left the group still holds it', async () => {
    const script = 'setsid sleep 2 & sleep 0.2; echo last; exit 3';
    const { tree, stdout } = startPiped(shellPlan(script, 'prefix', { restart: { maxCrashes: 0 } }));
    expect((await tree.event('worker-exited')).code).toBe(3);
    expect(await stdout).toBe('shell.1 | last\n');
  });

  test('a reader that goes away stops no worker', async () => {
    const counter = join(newFolder(), 'lines');
    const script = 'n=0; while :; do echo line; n=$((n + 1)); echo $n >"$1"; sleep 0.01; done';
    const plan = shellPlan('', 'prefix', { args: ['-c', script, 'sh', counter] });
    const tree = new Tree(plan, {}, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    await tree.event('worker-ready');
    tree.child.stdout?.destroy();
    tree.child.stderr?.destroy();
    const written = (): number => (existsSync(counter) ? Number(readFileSync(counter, 'utf8')) : 0);
    const before = written();
    await eventually(() => written() > before + 20);
    const { watchers } = await tree.ask('status');
    expect(watchers[0]).toMatchObject({ state: 'active', workers: [{ generation: 1 }] });
  });
});

describe('output to a file', () => {
  test('has one for each worker, kept over restarts', async () => {
    const folder = newFolder();
    const output = { file: join(folder, 'worker-$(worker.id).log') };
    const script = 'echo "I am $1"; exec sleep 1000';
    const args = ['-c', script, 'sh', '$(worker.id).$(worker.generation)'];
    const tree = await Tree.start(shellPlan('', output, { args, numProcesses: 2 }));
    const read = (id: number): string => readFileSync(join(folder, `worker-${id}.log`), 'utf8');
    await eventually(() => readdirSync(folder).length === 2 && read(1) !== '' && read(2) !== '');
    await tree.ask('reload');
    await eventually(() => read(2).endsWith('.2\n'));
    tree.kill('SIGTERM');
    expect(await tree.exited).toBe(0);
    expect(read(1)).toBe('I am 1.1\nI am 1.2\n');
    expect(read(2)).toBe('I am 2.1\nI am 2.2\n');
  });

  test('rotates it, keeps so many, and loses no line in between', async () => {
    const folder = newFolder();
    const output = { file: join(folder, 'out.log'), maxBytes: 20_000, maxFiles: 3 };
    const script = 'i=0; while [ $i -lt 4000 ]; do i=$((i+1)); echo "line $i"; done; echo end; exit 3';
    const tree = new Tree(shellPlan(script, output, { restart: { maxCrashes: 0 } }));
    await tree.exited;
    const names = ['out.log', 'out.log.1', 'out.log.2', 'out.log.3'].filter((name) =>
      readdirSync(folder).includes(name),
    );
    expect(readdirSync(folder).sort()).toEqual(names);
    expect(names.length).toBeGreaterThan(1);
    const lines = [...names]
      .reverse()
      .map((name) => readFileSync(join(folder, name), 'utf8'))
      .join('')
      .trimEnd()
      .split('\n');
    expect(lines.at(-1)).toBe('end');
    const first = Number(lines[0]?.slice(5));
    const expected = Array.from({ length: 4001 - first }, (_, index) => `line ${first + index}`);
    expect(lines.slice(0, -1)).toEqual(expected);
  });

  test('that cannot be written is told once, and stops no worker', async () => {
    const output = { file: `${import.meta.filename}/no/folder.log` };
    const tree = await Tree.start(shellPlan('while :; do echo line; sleep 0.01; done', output));
    const warning = await tree.event('warning');
    expect(warning.message).toContain(`output cannot be written to ${output.file}`);
    expect((await tree.ask('status')).watchers[0]?.state).toBe('active');
  });
});

test('a file sink does not write more files than it may', async () => {
  const file = join(newFolder(), 'x.log');
  const sink = new FileSink({ file, maxBytes: 1024, maxFiles: 2 }, (error) => expect.fail(error.message));
  for (let count = 0; count < 12; count += 1) await sink.write(Buffer.alloc(600, 'x'));
  await sink.close();
  const folder = join(file, '..');
  expect(readdirSync(folder).sort()).toEqual(['x.log', 'x.log.1', 'x.log.2']);
  for (const name of ['x.log.1', 'x.log.2']) expect(statSync(join(folder, name)).size).toBe(1200);
});

describe('copyLines', () => {
  /** Keeps what it gets; takes the next piece only when it is let. */
  class GatedSink implements LineSink {
    readonly pieces: string[] = [];
    open = (): void => undefined;

    write(lines: Buffer): Promise<void> {
      this.pieces.push(lines.toString());
      return new Promise((resolve) => (this.open = resolve));
    }
    close(): Promise<void> {
      return Promise.resolve();
    }
  }

  const copied = async (prefix: string, ...chunks: (string | Buffer)[]): Promise<string> => {
    const [from, sink] = [new PassThrough(), new GatedSink()];
    sink.write = (lines) => Promise.resolve(void sink.pieces.push(lines.toString('latin1')));
    const done = copyLines(from, sink, prefix);
    for (const chunk of chunks) from.write(chunk);
    from.end();
    await done;
    return sink.pieces.join('');
  };

  test.each([
    ['whole lines', ['a\nb\n'], '> a\n> b\n'],
    ['a line in pieces', ['a', 'b', 'c\nd'], '> abc\n> d\n'],
    ['empty lines', ['\n\na\n'], '> \n> \n> a\n'],
    ['carriage returns', ['50%\r100%\n'], '> 50%\r100%\n'],
    ['nothing', [], ''],
  ])('%s', async (_what, chunks, expected) => {
    expect(await copied('> ', ...chunks)).toBe(expected);
  });

  test('bytes that are no text stay as they are', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0xc3, 0x0a]);
    expect(await copied('', bytes)).toBe(bytes.toString('latin1'));
    expect(await copied('ü', bytes)).toBe(Buffer.concat([Buffer.from('ü'), bytes]).toString('latin1'));
  });

  test('a line without end is cut, so that it does not fill the memory', async () => {
    const text = await copied('', 'x'.repeat(MAX_LINE_BYTES + 10));
    expect(text.replaceAll('\n', '')).toHaveLength(MAX_LINE_BYTES + 10);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(MAX_LINE_BYTES + 10);
  });

  test('no more is read while the sink is busy: who prints too much has to wait', async () => {
    const [from, sink] = [new PassThrough({ highWaterMark: 16 }), new GatedSink()];
    const done = copyLines(from, sink, '');
    from.write('first\n');
    await eventually(() => sink.pieces.length === 1);
    while (from.write('more\n'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(sink.pieces).toEqual(['first\n']);
    expect(from.writableNeedDrain).toBe(true);
    sink.write = (lines) => Promise.resolve(void sink.pieces.push(lines.toString()));
    sink.open();
    from.end();
    await done;
    expect(sink.pieces.join('')).toMatch(/^first\n(more\n)+$/);
  });
});

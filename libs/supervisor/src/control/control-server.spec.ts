import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type FakeTree, openFake, RawClient } from '../../test/control.js';
import { eventually } from '../../test/tree.js';
import type { ControlServer } from './control-server.js';
import { CONTROL_LIMITS } from './protocol.js';

let tree: FakeTree;
let server: ControlServer;
let path: string;
let client: RawClient;

beforeEach(async () => {
  ({ tree, server, path } = await openFake());
  client = await RawClient.connect(path);
});

afterEach(async () => {
  client.socket.destroy();
  server.close();
  await client.closed;
});

const warning = (message: string) => ({ type: 'warning', message }) as const;

describe('a command', () => {
  test.each<[object, unknown, object]>([
    [{ command: 'restart' }, ['restart', undefined, undefined], {}],
    [{ command: 'restart', watcher: 'web', worker: 2 }, ['restart', 'web', 2], {}],
    [{ command: 'reload', watcher: 'web' }, ['reload', 'web'], {}],
    [{ command: 'incr', watcher: 'web' }, ['change', 'web', 1], { numProcesses: 3 }],
    [{ command: 'decr', watcher: 'web', count: 2 }, ['change', 'web', -2], { numProcesses: 0 }],
    [{ command: 'set', watcher: 'web', numProcesses: 7 }, ['set', 'web', 7], { numProcesses: 7 }],
    [{ command: 'signal', signal: 'SIGUSR2' }, ['signal', 'SIGUSR2', undefined, undefined], { signalled: 3 }],
    [{ command: 'stop' }, ['stop'], {}],
    [{ command: 'stop', force: true }, ['force'], {}],
  ])('%j reaches the tree, is answered, and told as an event', async (request, asked, result) => {
    expect(await client.ask({ id: 'a', ...request })).toEqual({ id: 'a', ok: true, result });
    expect(tree.asked).toEqual([asked]);
    const { command, ...fields } = request as { command: string };
    const answer = await client.ask({ id: 2, command: 'events', last: 1 });
    expect(answer).toMatchObject({ result: { events: [{ event: { type: 'control', command, fields } }] } });
  });

  test.each<[object, string, RegExp]>([
    [{ command: 'halt' }, 'not_found', /^there is no command 'halt'; commands are: status, list, stats, /],
    [{ command: 'toString' }, 'not_found', /^there is no command 'toString'/],
    [
      { command: 'restart', wacher: 'web' },
      'invalid_argument',
      /takes no 'wacher'; it takes: watcher, worker/,
    ],
    [{ command: 'status', all: true }, 'invalid_argument', /takes no 'all'; it takes: nothing/],
    [{ command: 'restart', worker: 2 }, 'invalid_argument', /'watcher' of command 'restart' is missing/],
    [{ command: 'restart', watcher: 7 }, 'invalid_argument', /'watcher' .* is 7; expected a text/],
    [{ command: 'set', watcher: 'web' }, 'invalid_argument', /'numProcesses' .* missing; .* from 1 to 1024/],
    [{ command: 'set', watcher: 'web', numProcesses: 1.5 }, 'invalid_argument', /is 1.5; expected a whole/],
    [{ command: 'set', watcher: 'wev', numProcesses: 1 }, 'not_found', /no watcher is named 'wev'/],
    [{ command: 'signal', signal: 'SIGNALL' }, 'invalid_argument', /expected a signal such as SIGUSR2/],
    [{ command: 'stop', force: 'yes' }, 'invalid_argument', /expected true or false/],
  ])('%j is refused, and the connection goes on', async (request, code, message) => {
    const answer = await client.ask({ id: 1, ...request });
    expect(answer).toMatchObject({ id: 1, ok: false, error: { code } });
    expect((answer?.['error'] as { message: string }).message).toMatch(message);
    expect(await client.ask({ id: 2, command: 'status' })).toMatchObject({ id: 2, ok: true });
  });

  test('that takes long delays no other; answers carry the id', async () => {
    let open = (): void => undefined;
    tree.answer = new Promise((resolve) => (open = resolve));
    client.send({ id: 'slow', command: 'reload' }, { id: 'fast', command: 'status' });
    expect(await client.next()).toMatchObject({ id: 'fast', ok: true });
    open();
    expect(await client.next()).toMatchObject({ id: 'slow', ok: true });
  });

  test('beyond the number that may be open on a connection is refused', async () => {
    let open = (): void => undefined;
    tree.answer = new Promise((resolve) => (open = resolve));
    for (let id = 1; id <= CONTROL_LIMITS.outstanding; id += 1) client.send({ id, command: 'reload' });
    expect(await client.ask({ id: 'more', command: 'status' })).toMatchObject({
      id: 'more',
      error: { code: 'too_many_requests' },
    });
    open();
    expect(await client.next()).toMatchObject({ id: 1, ok: true });
  });

  test('is answered although the client has said that it says no more', async () => {
    client.socket.end('{"id":1,"command":"status"}');
    expect(await client.next()).toMatchObject({ id: 1, ok: true, result: { name: 'fake' } });
    expect(await client.next()).toBeUndefined();
  });

  test('quit ends the connection after its answer', async () => {
    expect(await client.ask({ id: 1, command: 'quit' })).toEqual({ id: 1, ok: true, result: {} });
    expect(await client.next()).toBeUndefined();
  });
});

test('docs/control.md tells of every command what it takes, and of no other', async () => {
  const doc = readFileSync(new URL('../../../../docs/control.md', import.meta.url), 'utf8');
  const rows = [...doc.matchAll(/^\| `(\w+)` +\| (.*?) +\|/gm)].map(([, name = '', takes = '']) => [
    name,
    takes,
  ]);
  const unknown = await client.ask({ id: 1, command: '?' });
  const { message } = unknown?.['error'] as { message: string };
  expect(message.split('commands are: ')[1]?.split(', ').sort()).toEqual(rows.map(([name]) => name).sort());
  for (const [command, takes = ''] of rows) {
    const names = [...takes.matchAll(/`(\w+)\??`/g)].map(([, name]) => name).join(', ');
    const answer = await client.ask({ id: 2, command, '?': 1 });
    expect(answer).toMatchObject({
      error: { message: expect.stringContaining(`it takes: ${names || 'nothing'}`) },
    });
  }
});

describe('what is no request', () => {
  test.each([
    ['GET / HTTP/1.1\r\n\r\n', /a request is one JSON object a line, .* got "GET \/ HTTP/],
    ['[1]\n', /one JSON object/],
    ['\u0000\u0001\u0002\n', /one JSON object/],
    ['{"command":"status"}\n', /has no id/],
    ['{"id":1}\n', /names no command/],
    ['x'.repeat(CONTROL_LIMITS.lineBytes + 2), /longer than 65536 bytes/],
  ])('%.30j is answered by an error, and the connection ends', async (text, message) => {
    client.send(text);
    const answer = await client.next();
    expect(answer).toMatchObject({ id: null, ok: false, error: { code: 'invalid_argument' } });
    expect((answer?.['error'] as { message: string }).message).toMatch(message);
    expect(await client.next()).toBeUndefined();
  });

  test('takes nothing from other connections', async () => {
    const other = await RawClient.connect(path);
    client.send('garbage\n');
    await client.closed;
    expect(await other.ask({ id: 1, command: 'status' })).toMatchObject({ ok: true });
    other.socket.destroy();
  });

  test('after it, nothing is listened to', async () => {
    client.send('garbage\n', { id: 1, command: 'stop' });
    await client.closed;
    expect(tree.asked).toEqual([]);
  });
});

describe('events', () => {
  test('the last ones are told, then all that happen, none twice', async () => {
    for (const message of ['one', 'two', 'three']) tree.emit(warning(message));
    client.send({ id: 1, command: 'events', last: 2, follow: true });
    expect(await client.next()).toMatchObject({
      result: { events: [{ event: { message: 'two' } }, { seq: 4, event: { message: 'three' } }] },
    });
    tree.emit(warning('four'));
    const next = await client.next();
    expect(next).toMatchObject({ seq: 5, event: { type: 'warning', message: 'four' } });
    expect(new Date(String(next?.['at'])).getTime()).toBeGreaterThan(Date.now() - 60_000);
  });

  test('without follow, only the last ones', async () => {
    expect(await client.ask({ id: 1, command: 'events' })).toMatchObject({ result: { events: [] } });
    tree.emit(warning('one'));
    expect(await client.ask({ id: 2, command: 'events', last: 1 })).toMatchObject({
      id: 2,
      result: { events: [{ event: { message: 'one' } }] },
    });
  });

  test('no more are kept than can be asked for', async () => {
    for (let count = 0; count < 2 * CONTROL_LIMITS.keptEvents; count += 1) tree.emit(warning(`${count}`));
    const answer = await client.ask({ id: 1, command: 'events', last: CONTROL_LIMITS.keptEvents });
    const { events } = answer?.['result'] as { events: { event: { message: string } }[] };
    expect(events).toHaveLength(CONTROL_LIMITS.keptEvents);
    expect(events.at(-1)?.event.message).toBe(`${2 * CONTROL_LIMITS.keptEvents - 1}`);
  });

  test('who follows and does not read is cut, others are not', async () => {
    const reader = await RawClient.connect(path);
    await client.ask({ id: 1, command: 'events', follow: true });
    await reader.ask({ id: 1, command: 'events', follow: true });
    client.socket.pause();
    const text = 'x'.repeat(100_000);
    for (let count = 0; count < 40; count += 1) {
      tree.emit(warning(text));
      expect(await reader.next()).toMatchObject({ event: { message: text } });
    }
    expect(await reader.ask({ id: 2, command: 'status' })).toMatchObject({ id: 2, ok: true });
    client.socket.resume();
    await client.closed;
    reader.socket.destroy();
  });
});

describe('connections', () => {
  test('beyond the limit are refused with words, until one goes', async () => {
    const others: RawClient[] = [];
    for (let count = 1; count < CONTROL_LIMITS.connections; count += 1) {
      others.push(await RawClient.connect(path));
    }
    const late = await RawClient.connect(path);
    expect(await late.next()).toMatchObject({ id: null, error: { code: 'too_many_requests' } });
    expect(await late.next()).toBeUndefined();
    await client.ask({ id: 1, command: 'quit' });
    client.socket.end();
    await client.closed;
    await eventually(async () => {
      const next = await RawClient.connect(path);
      others.push(next);
      return (await next.ask({ id: 1, command: 'status' }))?.['ok'] === true;
    });
    for (const { socket } of others) socket.destroy();
  });

  test('a close tells what was said before, ends them, and removes the file', async () => {
    await client.ask({ id: 1, command: 'events', follow: true });
    tree.emit(warning('the end'));
    server.close();
    expect(existsSync(path)).toBe(false);
    expect(await client.next()).toMatchObject({ event: { message: 'the end' } });
    expect(await client.next()).toBeUndefined();
  });
});

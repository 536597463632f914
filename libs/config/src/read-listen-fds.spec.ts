import { describe, expect, test } from 'vitest';

import { readListenFds } from './read-listen-fds.js';

const PID = 4711;
const read = (environment: Record<string, string>) =>
  readListenFds({ LISTEN_PID: String(PID), ...environment }, PID);

describe('readListenFds', () => {
  test('names the sockets in their order, from descriptor 3 on', () => {
    expect(read({ LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:grpc' })).toEqual({ http: 3, grpc: 4 });
  });

  test('one without a name is unknown, as systemd calls it', () => {
    expect(read({ LISTEN_FDS: '1' })).toEqual({ unknown: 3 });
    expect(read({ LISTEN_FDS: '2', LISTEN_FDNAMES: ':grpc' })).toEqual({ unknown: 3, grpc: 4 });
  });

  test('those of another process are not ours', () => {
    expect(read({ LISTEN_PID: '1', LISTEN_FDS: '1' })).toEqual({});
    expect(readListenFds({ LISTEN_FDS: '1' }, PID)).toEqual({});
    expect(read({})).toEqual({});
    expect(read({ LISTEN_FDS: '0' })).toEqual({});
  });

  test.each([
    [{ LISTEN_FDS: 'two' }, "LISTEN_FDS is 'two'"],
    [{ LISTEN_FDS: '-1' }, "LISTEN_FDS is '-1'"],
    [{ LISTEN_FDS: '2', LISTEN_FDNAMES: 'http' }, 'which are 1 names for 2 sockets'],
    [{ LISTEN_FDS: '2', LISTEN_FDNAMES: 'http:http' }, "two sockets of LISTEN_FDS are named 'http'"],
    [{ LISTEN_FDS: '2' }, "two sockets of LISTEN_FDS are named 'unknown'"],
  ])('%j is refused', (environment, message) => {
    expect(() => read(environment)).toThrow(message);
  });
});

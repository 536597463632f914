import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

import { expect, test } from 'vitest';

import { compileHttpServerConfig, compileServeConfig } from './compile-config.js';
import { controlFolders, findControlSockets } from './compile-control-socket.js';

const name = `bentots-${process.geteuid?.()}`;
const environment = { XDG_RUNTIME_DIR: '/run/user/7', TMPDIR: '/var/tmp' };

test('unless said, the folders of the user are tried: the runtime directory first', () => {
  const { control } = compileHttpServerConfig({}, environment);
  expect(control).toEqual({ folders: controlFolders(environment) });
  expect(controlFolders(environment)).toEqual([
    ...new Set([`/run/user/7/${name}`, `/var/tmp/${name}`, `${tmpdir()}/${name}`]),
  ]);
});

test('a runtime directory that is no absolute path counts as not there, as its specification wants', () => {
  expect(controlFolders({ XDG_RUNTIME_DIR: 'run', TMPDIR: '' })[0]).toBe(`${tmpdir()}/${name}`);
});

test('a path is made absolute, off is none; the option wins over the variable', () => {
  const variable = { BENTOTS_CONTROL_SOCKET: 'off' };
  const { http, grpc } = compileServeConfig({ controlSocket: 'run/tree.sock' }, variable);
  expect(http.control).toEqual({ path: resolve('run/tree.sock') });
  expect(grpc?.control).toEqual(http.control);
  expect(compileServeConfig({}, variable).http.control).toBeUndefined();
});

test('a client looks where the variable says, and in all folders; off is for servers', () => {
  const folders = controlFolders(environment);
  const look = (BENTOTS_CONTROL_SOCKET: string) =>
    findControlSockets({ ...environment, BENTOTS_CONTROL_SOCKET });
  expect(look('/run/tree.sock')).toEqual({ path: '/run/tree.sock', folders });
  for (const value of ['off', '']) expect(look(value)).toEqual({ path: undefined, folders });
});

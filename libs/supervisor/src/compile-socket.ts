import { ServeError } from '@bentots/errors';
import { checkInteger } from './check-integer.js';
import type { SocketConfig, SocketSpec, WatcherSpec } from './plan.js';

/** Checks one socket and fills in its defaults. Throws `invalid_option` that names the socket and the field. */
export function compileSocket(spec: SocketSpec, watchers: readonly WatcherSpec[]): SocketConfig {
  const where = `socket '${spec.name}'`;
  const users = watchers.filter((watcher) => watcher.sockets?.includes(spec.name));
  const commands = users.filter((watcher) => watcher.command !== undefined);
  if (commands.length > 0 && commands.length < users.length) {
    const names = users.map((watcher) => `'${watcher.name}'`).join(', ');
    throw new ServeError(
      'invalid_option',
      `${where} is used by entries and commands (${names}), which need sockets of their own`,
    );
  }
  if (spec.path !== undefined && (spec.host !== undefined || spec.port !== undefined)) {
    throw new ServeError('invalid_option', `${where} has a path and a host or port; give one of them`);
  }
  if (spec.path === undefined && (spec.uid !== undefined || spec.gid !== undefined)) {
    throw new ServeError('invalid_option', `${where} has a uid or gid, which only the file of a path has`);
  }
  return {
    name: spec.name,
    target: compileTarget(spec, where),
    backlog: checkInteger(spec.backlog ?? 511, 1, 2 ** 31 - 1, `${where}: backlog`),
    accept: spec.accept ?? 'shared',
    inherit: spec.inherit,
    isForCommands: commands.length > 0,
  };
}

function compileTarget(spec: SocketSpec, where: string): SocketConfig['target'] {
  if (spec.path === undefined) {
    const port = checkInteger(spec.port ?? 0, 0, 65_535, `${where}: port`);
    return { host: spec.host ?? '127.0.0.1', port };
  }
  return {
    path: spec.path,
    mode: spec.mode ?? 0o600,
    uid: spec.uid === undefined ? undefined : checkId(spec.uid, `${where}: uid`),
    gid: spec.gid === undefined ? undefined : checkId(spec.gid, `${where}: gid`),
  };
}

/** The last number means "leave it" to the system, so it names nobody. */
const MAX_ID = 2 ** 32 - 2;

/** Checks the number of a user or group. */
export function checkId(value: number, what: string): number {
  return checkInteger(value, 0, MAX_ID, what);
}

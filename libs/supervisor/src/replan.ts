import { isDeepStrictEqual } from 'node:util';
import { ServeError } from '@bentots/errors';
import type { PlanConfig } from './plan.js';

/**
 * Checks that a running tree can go over from one plan to another. Watchers may change all but their names and sockets;
 * sockets are bound once. Throws `invalid_option` that names what differs.
 */
export function checkReplan(current: PlanConfig, next: PlanConfig): void {
  checkSameNames('socket', current.sockets, next.sockets);
  checkSameNames('watcher', current.watchers, next.watchers);
  for (const socket of next.sockets) {
    const bound = current.sockets.find(({ name }) => name === socket.name);
    if (isDeepStrictEqual(bound, socket)) continue;
    const change = `from ${JSON.stringify(bound)} to ${JSON.stringify(socket)}`;
    throw refusal(`socket '${socket.name}' cannot change ${change}`);
  }
  for (const watcher of next.watchers) {
    const running = current.watchers.find(({ name }) => name === watcher.name)?.sockets ?? [];
    if (isDeepStrictEqual(running, watcher.sockets)) continue;
    const change = `from '${running.join(', ')}' to '${watcher.sockets.join(', ')}'`;
    throw refusal(`the sockets of watcher '${watcher.name}' cannot change ${change}`);
  }
}

interface Named {
  readonly name: string;
}

function checkSameNames(kind: string, current: readonly Named[], next: readonly Named[]): void {
  const lacks = (all: readonly Named[], one: Named): boolean => all.every(({ name }) => name !== one.name);
  const added = next.find((one) => lacks(current, one));
  if (added !== undefined) throw refusal(`${kind} '${added.name}' cannot be added`);
  const removed = current.find((one) => lacks(next, one));
  if (removed !== undefined) throw refusal(`${kind} '${removed.name}' cannot be removed`);
}

function refusal(what: string): ServeError {
  return new ServeError('invalid_option', `${what} while the tree runs; stop it and start it anew`);
}

import { ServeError } from '@bentots/errors';
import type { SocketConfig } from '../plan.js';
import type { BoundSocket } from './bound-socket.js';
import { openDescriptor, type RawServerHandle } from './raw-handle.js';

/** Descriptors of listening sockets that this process was started with, by name. */
export type GivenDescriptors = Readonly<Record<string, number>>;

/**
 * Takes a listening socket that this process was given. Throws `address_unavailable` that says what the descriptor is
 * when it is no socket of the kind that the plan has.
 */
export function adoptDescriptor(
  { name, target, inherit }: SocketConfig,
  fd: number,
): { readonly handle: RawServerHandle; readonly address: BoundSocket['address'] } {
  const wanted = 'path' in target ? 'unix' : 'TCP';
  const refuse = (what: string): ServeError => {
    const given = `descriptor ${fd}, given as '${inherit}' for socket '${name}',`;
    return new ServeError('address_unavailable', `${given} ${what}; expected a listening ${wanted} socket`);
  };
  const handle = openDescriptor(fd);
  if (typeof handle === 'string') throw refuse(`is no such socket (${handle})`);
  const local: { address?: string; port?: number } = {};
  // Only TCP handles have it; of a unix socket it cannot be told where it is bound.
  const isTcp = handle.getsockname !== undefined;
  const problem =
    (isTcp ? 'TCP' : 'unix') !== wanted
      ? `is a ${isTcp ? 'TCP' : 'unix'} socket`
      : handle.getsockname?.(local)
        ? 'has no address'
        : handle.getpeername?.({}) === 0
          ? 'is a connection'
          : undefined;
  if (problem !== undefined) {
    handle.close();
    throw refuse(problem);
  }
  if ('path' in target) return { handle, address: { path: target.path } };
  return { handle, address: { host: local.address ?? target.host, port: local.port ?? 0 } };
}

/** A line for each descriptor that no socket of the plan takes: its name is probably a mistake. */
export function tellUnused(configs: readonly SocketConfig[], given: GivenDescriptors): readonly string[] {
  const wanted = configs.flatMap(({ inherit }) => inherit ?? []);
  const unused = Object.keys(given).filter((name) => !wanted.includes(name));
  const known = wanted.join(', ') || 'none';
  return unused.map(
    (name) => `no socket takes the given descriptor '${name}'; those that may be given: ${known}`,
  );
}

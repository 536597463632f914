import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { ServeError } from '@bentots/errors';
import type { AcceptMode, SocketConfig } from '../plan.js';
import { adoptDescriptor, type GivenDescriptors } from './adopt-descriptor.js';
import { beginListening } from './begin-listening.js';
import { type BoundSocket, formatBoundAddress, formatHostPort } from './bound-socket.js';
import { bindTcp, boundPortOf, type RawHandle, type RawServerHandle } from './raw-handle.js';
import { sealSocket } from './seal-socket.js';
import { bindUnixFile, freeUnixPath, type OwnedFile, ownFile, removeOwnedFile } from './unix-path.js';

/** What becomes of an accepted connection. */
export type TakeConnection = (client: RawHandle) => void;

/**
 * Whose a socket is. `arbiter`: ours, and we may accept on it. `commands`: ours, but only commands accept on it. `giver`:
 * of whoever started us with it; there it goes on when we are gone.
 */
export type SocketOwner = 'arbiter' | 'commands' | 'giver';

/** A socket that is bound and listens; it belongs to the arbiter whatever happens to workers. */
export class Listener {
  #isClosed = false;
  #isAccepting = false;
  /** The file of a unix socket. */
  readonly file: OwnedFile | undefined;

  constructor(
    readonly bound: BoundSocket,
    readonly accept: AcceptMode,
    readonly backlog: number,
    private readonly handle: RawServerHandle,
    private readonly owner: SocketOwner,
  ) {
    const isOurFile = 'path' in bound.address && owner !== 'giver';
    this.file = isOurFile ? ownFile(bound.address.path) : undefined;
  }

  get name(): string {
    return this.bound.name;
  }

  /** The descriptor that workers inherit. */
  get fd(): number {
    return this.handle.fd;
  }

  /** From now on connections are accepted in this process. */
  startAccepting(take: TakeConnection): void {
    if (this.#isAccepting || this.#isClosed) return;
    this.#isAccepting = true;
    this.handle.onconnection = (status, client) => {
      if (status === 0 && client !== undefined) take(client);
    };
    this.handle.listen(this.backlog);
  }

  /**
   * Closes so that nobody is reset: what waits in the queue is accepted and given to `take`, later clients are refused.
   * No worker may still listen on it. What is the commands' is only closed, for we may not accept on it; what is the
   * giver's too: its queue is for those who get the socket next.
   */
  async seal(take: TakeConnection): Promise<void> {
    if (this.owner !== 'arbiter') this.close();
    if (this.#isClosed) return;
    if (this.file !== undefined) removeOwnedFile(this.file);
    this.#isClosed = true;
    await sealSocket(this.handle, this.backlog, take);
  }

  /** Closes at once; connections that nobody accepted yet are reset. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.file !== undefined) removeOwnedFile(this.file);
    this.handle.onconnection = null;
    this.handle.close();
  }
}

/**
 * Binds all sockets, or takes those that were given, and lets them listen. Throws `address_in_use` or
 * `address_unavailable` that name the address; then none of them stays open.
 */
export async function openListeners(
  configs: readonly SocketConfig[],
  given: GivenDescriptors = {},
): Promise<readonly Listener[]> {
  const listeners: Listener[] = [];
  try {
    for (const config of configs)
      listeners.push(adoptListener(config, given) ?? (await bindListener(config)));
    const failures = await beginListening(listeners);
    for (const [index, code] of failures) {
      const address = listeners[index]?.bound.address;
      throw addressError(code, address === undefined ? `socket ${index}` : formatBoundAddress(address));
    }
    return listeners;
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
}

/** The socket that was given for this one; undefined if there is none. */
function adoptListener(config: SocketConfig, given: GivenDescriptors): Listener | undefined {
  const { name, accept, backlog, inherit } = config;
  const fd = inherit === undefined ? undefined : given[inherit];
  if (fd === undefined) return undefined;
  const { handle, address } = adoptDescriptor(config, fd);
  return new Listener({ name, address }, accept, backlog, handle, 'giver');
}

/** Binds one socket, which does not listen yet. Throws as {@link openListeners} does. */
export async function bindListener(config: SocketConfig): Promise<Listener> {
  const { name, target, accept, backlog } = config;
  const owner = config.isForCommands ? 'commands' : 'arbiter';
  if ('path' in target) {
    await freeUnixPath(target.path);
    const handle = bindUnixFile(target.path, target);
    if (typeof handle === 'string') throw addressError(handle, target.path);
    return new Listener({ name, address: { path: target.path } }, accept, backlog, handle, owner);
  }
  const handle = bindTcp(await resolveHost(target.host), target.port);
  if (typeof handle === 'string') throw addressError(handle, formatHostPort(target.host, target.port));
  const address = { host: target.host, port: boundPortOf(handle) };
  return new Listener({ name, address }, accept, backlog, handle, owner);
}

async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new ServeError('address_unavailable', `host '${host}' has no address on this machine`, {
      cause: error,
    });
  }
}

function addressError(code: string, address: string): ServeError {
  if (code === 'EADDRINUSE') {
    return new ServeError(
      'address_in_use',
      `${address} is in use: another process listens there; stop it or choose another one`,
    );
  }
  const why: Record<string, string> = {
    EADDRNOTAVAIL: 'this machine does not have that address',
    EACCES: 'this user may not bind it',
    EINVAL: 'the descriptor that was given for it cannot listen',
    EAFNOSUPPORT: 'this machine does not speak that address family',
  };
  return new ServeError('address_unavailable', `cannot listen on ${address}: ${why[code] ?? code} (${code})`);
}

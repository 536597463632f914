import net from 'node:net';
import { getSystemErrorName } from 'node:util';

/**
 * The one door to Node's own handles, below `net.Server`. It is needed because every public way to bind also starts to
 * accept in this process, and the workers are to accept. node:cluster uses the same calls.
 */
export interface RawHandle {
  readonly fd: number;
  close(done?: () => void): void;
  getpeername?(out: { address?: string; port?: number }): number;
}

/** A bound socket. It accepts in this process only after its `listen` was called here. */
export interface RawServerHandle extends RawHandle {
  onconnection: ((status: number, client: RawHandle | undefined) => void) | null;
  listen(backlog: number): number;
  getsockname?(out: { address?: string; port?: number }): number;
}

interface NetInternals {
  _createServerHandle?(
    address: string | null,
    port: number,
    addressType: number,
    fd: number | undefined,
    flags: number,
  ): RawServerHandle | number;
}

/** Binds a TCP socket without listening; returns the name of the system error if that fails. */
export function bindTcp(address: string, port: number): RawServerHandle | string {
  const handle = createHandle(address, port, net.isIPv6(address) ? 6 : 4);
  if (typeof handle === 'string') return handle;
  // libuv reports an address in use only when the socket is next touched.
  const status = handle.getsockname?.({}) ?? 0;
  if (status === 0) return handle;
  handle.close();
  return getSystemErrorName(status);
}

/** Binds a unix socket without listening; returns the name of the system error if that fails. */
export function bindUnix(path: string): RawServerHandle | string {
  return createHandle(path, -1, -1);
}

/** The port that the system gave. */
export function boundPortOf(handle: RawServerHandle): number {
  const out: { port?: number } = {};
  handle.getsockname?.(out);
  return out.port ?? 0;
}

/** The handle of a descriptor that this process was given; returns the name of the system error if it is no socket. */
export function openDescriptor(fd: number): RawServerHandle | string {
  return createHandle(null, 0, -1, fd);
}

function createHandle(
  address: string | null,
  port: number,
  addressType: number,
  fd?: number,
): RawServerHandle | string {
  const { _createServerHandle } = net as typeof net & NetInternals;
  if (_createServerHandle === undefined)
    throw new Error('this version of Node cannot bind without accepting');
  const handle = _createServerHandle(address, port, addressType, fd, 0);
  return typeof handle === 'number' ? getSystemErrorName(handle) : handle;
}

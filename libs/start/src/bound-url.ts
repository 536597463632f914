import { ServeError } from '@bentots/errors';
import type { BoundSocket } from '@bentots/supervisor';

/** `scheme://host:port` of a bound TCP socket: the true port, IPv6 in brackets. */
export function formatBoundUrl(scheme: string, name: string, sockets: readonly BoundSocket[]): string {
  const address = sockets.find((socket) => socket.name === name)?.address;
  if (address === undefined || !('port' in address)) {
    throw new ServeError('internal', `no TCP socket '${name}' was bound`);
  }
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${scheme}://${host}:${address.port}`;
}

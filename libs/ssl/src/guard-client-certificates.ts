import type { Server, TLSSocket } from 'node:tls';
import type { SslSettings } from './compile-ssl-options.js';

/**
 * Makes 'optional' mean what it says: a client may come without a certificate, but one that shows a certificate of an
 * unknown authority (or an expired one) is cut off before its first request is read. Node by itself would let it in.
 * Does nothing for 'none' and 'required', which Node enforces.
 */
export function guardClientCertificates(server: Server, settings: SslSettings): void {
  if (settings.clientCertificate !== 'optional') return;
  // Before the server's own listener, so that a refused socket is gone when that one begins to read.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (!socket.authorized && socket.getPeerX509Certificate() !== undefined) socket.destroy();
  });
}

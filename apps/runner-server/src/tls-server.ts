import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { SslConfig } from '@bentots/config';
import { detectProtocol } from '@bentots/runner-wire';
import {
  compileSslOptions,
  guardClientCertificates,
  type LoadedTls,
  loadTlsOptions,
  type SslSettings,
} from '@bentots/ssl';
import type { Logger } from '@bentots/telemetry';

/** Certificates, who must show one, and who is told of clients that are not let in. */
export interface FrameTls {
  readonly settings: SslSettings;
  readonly loaded: LoadedTls;
  /** `client` is its address. */
  onRefused(client: string, reason: string): void;
}

/** Reads the certificates, unless the port speaks plain text; the log is told of clients that are not let in. */
export async function loadFrameTls(ssl: SslConfig | undefined, log: Logger): Promise<FrameTls | undefined> {
  const settings = compileSslOptions(ssl);
  if (settings === undefined) return undefined;
  const onRefused = (client: string, reason: string): void => {
    log.warn(`client ${client} is not let in: ${reason}`, { client, reason });
  };
  return { settings, loaded: await loadTlsOptions(settings), onRefused };
}

/** What becomes of connections. */
export interface TlsConnections {
  /** Gets each connection whose handshake is over, as what it decrypts to. */
  welcome(socket: Socket): void;
  /** Holds connections until then. */
  readonly undecided: Set<Socket>;
}

/** Who says nothing for so long, or needs longer for the handshake, is cut off. */
const HANDSHAKE_MS = 10_000;

/** What the first byte of TLS says: a handshake record. */
const HANDSHAKE_RECORD = 0x16;

/** To a client of the wire that speaks plain text: the fatal alert `protocol_version`, which it knows. */
const ALERT = Buffer.from([0x15, 3, 1, 0, 2, 2, 70]);

const SPEAKS_TLS = 'this port speaks TLS: use https://\n';

/** To everybody else. */
const PLAIN_ANSWER = [
  'HTTP/1.1 400 Bad Request',
  'content-type: text/plain; charset=utf-8',
  `content-length: ${SPEAKS_TLS.length}`,
  'connection: close',
  '',
  SPEAKS_TLS,
].join('\r\n');

/** A server that speaks TLS only, and tells who does not. It does not listen yet. */
export function createTlsServer(tls: FrameTls, connections: TlsConnections): Server {
  const { undecided } = connections;
  const accept = createHandshakes(tls, connections);
  const refuse = (socket: Socket, answer: Buffer | string): void => {
    tls.onRefused(
      clientOf(socket),
      'it speaks plain text: this port is tcps:// in runner maps, https:// for others',
    );
    socket.end(answer);
  };
  const look = async (socket: Socket): Promise<void> => {
    const protocol = await detectProtocol(socket, HANDSHAKE_MS);
    if (protocol === 'closed') return;
    if (protocol === 'wire') return refuse(socket, ALERT);
    const head: Buffer | null = socket.read();
    if (head?.[0] !== HANDSHAKE_RECORD) return refuse(socket, PLAIN_ANSWER);
    socket.unshift(head);
    accept(socket);
  };
  return createNetServer({ noDelay: true }, (socket) => {
    undecided.add(socket);
    socket.once('close', () => undecided.delete(socket));
    socket.on('error', () => undefined);
    void look(socket);
  });
}

/** What makes a connection one that is decrypted. */
function createHandshakes(
  { settings, loaded, onRefused }: FrameTls,
  { welcome, undecided }: TlsConnections,
): (socket: Socket) => void {
  /** By the address of the client, which no two open connections share. */
  const begun = new Map<string, Socket>();
  const server = createServer({ ...loaded, handshakeTimeout: HANDSHAKE_MS });
  guardClientCertificates(server, settings);
  server.on('secureConnection', (socket) => {
    const raw = begun.get(clientOf(socket));
    if (raw !== undefined) undecided.delete(raw);
    if (!socket.destroyed) welcome(socket);
  });
  server.on('tlsClientError', (error, socket) => {
    onRefused(clientOf(socket), reasonOf(error, socket));
    socket.destroy();
  });
  return (socket) => {
    const client = clientOf(socket);
    begun.set(client, socket);
    socket.once('close', () => begun.delete(client));
    server.emit('connection', socket);
  };
}

function clientOf({ remoteAddress = '?', remotePort = 0 }: Socket): string {
  return `${remoteAddress} port ${remotePort}`;
}

/** What the operator can do something about, in words. */
function reasonOf(error: Error & { code?: string }, socket: TLSSocket): string {
  if (error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'it shows no client certificate';
  // Unset until the certificate was looked at, whatever its type says.
  const refused: unknown = socket.authorizationError;
  if (refused !== undefined && refused !== null) return `its certificate is refused: ${String(refused)}`;
  return error.message.trim();
}

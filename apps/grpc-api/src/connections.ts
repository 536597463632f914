import net from 'node:net';
import tls from 'node:tls';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import { guardClientCertificates, type LoadedTls, type SslSettings } from '@bentots/ssl';

/** TLS as checked and loaded by `@bentots/ssl`. */
export interface GrpcTls {
  readonly settings: SslSettings;
  readonly loaded: LoadedTls;
}

/** A peer that does not finish its handshake in this time holds a connection for nothing. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Carries accepted connections into a gRPC server that has no port of its own. TLS is ended here and not by grpc-js,
 * which can neither choose versions and ciphers nor check a certificate that is merely offered.
 */
export class GrpcConnections {
  /** Not listening: whoever owns the port makes it listen, or emits `connection` on it. */
  readonly listener: net.Server;
  private readonly open = new Set<net.Socket>();
  private readonly waiting: (() => void)[] = [];
  private readonly injector: ConnectionInjector;
  private late: ConnectionInjector | undefined;

  constructor(
    private readonly grpc: Server,
    security: GrpcTls | undefined,
  ) {
    this.injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.listener = security === undefined ? net.createServer() : createTlsServer(security);
    this.listener.on(security === undefined ? 'connection' : 'secureConnection', (socket: net.Socket) => {
      this.accept(socket);
    });
  }

  /**
   * From now on a connection that still arrives is told at once to go elsewhere (GOAWAY), which costs its client a
   * reconnect; a reset would cost it a failed call. The open ones are ended by the gRPC server's own shutdown.
   */
  turnAway(): void {
    this.late ??= this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Resolves when no connection is open. */
  closed(): Promise<void> {
    if (this.open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private accept(socket: net.Socket): void {
    this.open.add(socket);
    socket.once('close', () => {
      this.open.delete(socket);
      if (this.open.size === 0) for (const wake of this.waiting.splice(0)) wake();
    });
    socket.setNoDelay(true);
    (this.late ?? this.injector).injectConnection(socket);
    this.late?.drain(HANDSHAKE_TIMEOUT_MS);
  }
}

function createTlsServer({ settings, loaded }: GrpcTls): net.Server {
  const server = tls.createServer({
    ...loaded,
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  guardClientCertificates(server, settings);
  // A refused client is the client's problem: its connection is destroyed, and nothing else is to do.
  server.on('tlsClientError', () => undefined);
  return server;
}

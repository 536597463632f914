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
   * The server's shutdown, which ends the connections that are open now, begins: those that still finish their handshake
   * are served apart, until {@link endLate}. Without that they would be nobody's to end.
   */
  beginLate(): void {
    this.late ??= this.grpc.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Tells the late connections to go away (GOAWAY), once their calls are answered. */
  endLate(): void {
    this.late?.drain(HANDSHAKE_TIMEOUT_MS);
  }

  /** Resolves when no connection is open. */
  closed(): Promise<void> {
    if (this.open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** Cuts every open connection. grpc-js cannot: its `forceShutdown` finds none unless channelz keeps a list of them. */
  destroy(): void {
    for (const socket of this.open) socket.destroy();
  }

  private accept(socket: net.Socket): void {
    this.open.add(socket);
    socket.once('close', () => {
      this.open.delete(socket);
      if (this.open.size === 0) for (const wake of this.waiting.splice(0)) wake();
    });
    socket.setNoDelay(true);
    (this.late ?? this.injector).injectConnection(socket);
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

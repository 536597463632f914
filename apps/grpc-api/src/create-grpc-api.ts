import 'reflect-metadata';
import type { Server as NetServer } from 'node:net';
import { addAdminServicesToServer, type ChannelOptions } from '@grpc/grpc-js';
import { NestFactory } from '@nestjs/core';
import { GrpcConnections, type GrpcTls } from './connections.js';
import { drainGrpc } from './drain-grpc.js';
import { GRPC_SERVICES, GrpcApiModule, type GrpcApiOptions, HEALTH, IN_FLIGHT } from './grpc-api-module.js';
import type { Health } from './health.js';
import { InheritedGrpc } from './inherited-grpc.js';

/** How the transport behaves. */
export interface GrpcTransportOptions {
  readonly tls?: GrpcTls | undefined;
  /** Streams per connection; absent: no limit. */
  readonly maxConcurrentStreams?: number | undefined;
  /** Serves `grpc.channelz.v1.Channelz`. */
  readonly channelz: boolean;
}

/** The gRPC edge, ready for connections. */
export interface GrpcApi {
  /** Takes the connections; not listening by itself. */
  readonly listener: NetServer;
  /** Health says NOT_SERVING from now on, and everything is served as before. */
  endReadiness(): void;
  /** Lets every call in flight end, says NOT_SERVING and GOAWAY; cuts what remains when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
}

/** Composes the gRPC edge of a service. */
export async function createGrpcApi(options: GrpcApiOptions & GrpcTransportOptions): Promise<GrpcApi> {
  const transport = new InheritedGrpc(() => app.get(GRPC_SERVICES), compileChannelOptions(options));
  const app = await NestFactory.createMicroservice(GrpcApiModule.with(options), {
    strategy: transport,
    logger: false,
    abortOnError: false,
  });
  await app.listen();
  const { server } = transport;
  if (options.channelz) addAdminServicesToServer(server);
  const connections = new GrpcConnections(server, options.tls);
  return {
    listener: connections.listener,
    endReadiness: () => app.get<Health>(HEALTH).drain(),
    drain: async (signal) => {
      await drainGrpc({ server, connections, health: app.get(HEALTH), inFlight: app.get(IN_FLIGHT) }, signal);
      await app.close();
    },
  };
}

function compileChannelOptions(options: GrpcApiOptions & GrpcTransportOptions): ChannelOptions {
  const { maxMessageBytes, maxConcurrentStreams, channelz } = options;
  return {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    // Bookkeeping of every message and stream: only for who asked.
    'grpc.enable_channelz': channelz ? 1 : 0,
    ...(maxConcurrentStreams !== undefined && { 'grpc.max_concurrent_streams': maxConcurrentStreams }),
  };
}

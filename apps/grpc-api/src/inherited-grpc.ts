import {
  type ChannelOptions,
  Server,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ServerGrpc } from '@nestjs/microservices';

/** One gRPC service and what answers its methods. */
export interface GrpcService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/**
 * Nest's gRPC transport without an address of its own: connections are handed to it, as the supervisor owns the port.
 *
 * The services are registered as they are, so that no interceptor chain of observables stands between the transport and
 * an API call; Nest composes them, and starts and closes the transport.
 */
export class InheritedGrpc extends ServerGrpc {
  /** Takes the connections that the supervisor hands over; its methods are those of `services`. */
  readonly server: Server;

  constructor(
    private readonly services: () => readonly GrpcService[],
    channelOptions: ChannelOptions,
  ) {
    super({ package: [], protoPath: [] });
    this.server = new Server(channelOptions);
  }

  /** Where Nest would bind the port. */
  override createClient(): Promise<Server> {
    return Promise.resolve(this.server);
  }

  override bindEvents(): Promise<void> {
    for (const { definition, implementation } of this.services()) {
      this.server.addService(definition, implementation);
    }
    return Promise.resolve();
  }
}

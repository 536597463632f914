import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Service } from '@bentots/service';
import { onTestFinished } from 'vitest';
import type { CallEnd } from '../src/bento-service.js';
import { createGrpcApi, type GrpcApi, type GrpcTransportOptions } from '../src/create-grpc-api.js';
import type { GrpcApiOptions } from '../src/grpc-api-module.js';
import { protocolV1 } from '../src/protocol-v1.js';
import { TestClient } from './client.js';

/** A gRPC edge on a port of its own, in this process. */
export interface StartedApi {
  readonly api: GrpcApi;
  readonly address: string;
  /** How the calls ended, oldest first. */
  readonly ends: CallEnd[];
  client(credentials?: ChannelCredentials): TestClient;
}

/** Serves `service` until the test ends. */
export async function startApi(
  service: Service,
  options: Partial<GrpcApiOptions & GrpcTransportOptions> = {},
): Promise<StartedApi> {
  const ends: CallEnd[] = [];
  const api = await createGrpcApi({
    protocol: protocolV1,
    service,
    readiness: () => Promise.resolve({}),
    state: {},
    timeoutMs: 10_000,
    maxMessageBytes: 1024 * 1024,
    channelz: false,
    reflection: false,
    onCallEnd: (end) => ends.push(end),
    ...options,
  });
  api.listener.listen(0, '127.0.0.1');
  await once(api.listener, 'listening');
  const { port } = api.listener.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  const clients: TestClient[] = [];
  onTestFinished(async () => {
    for (const client of clients) client.close();
    await api.drain(AbortSignal.timeout(1000));
    api.listener.close();
  });
  return {
    api,
    address,
    ends,
    client: (credentials) => {
      const client = new TestClient(address, credentials);
      clients.push(client);
      return client;
    },
  };
}

/** A promise that the test resolves, and a function that waits for it. */
export class Gate {
  open: () => void = () => undefined;
  /** How many came here. */
  arrivals = 0;
  private reach: () => void = () => undefined;
  private readonly opened = new Promise<void>((resolve) => (this.open = resolve));
  private readonly reached = new Promise<void>((resolve) => (this.reach = resolve));

  /** Called by what is tested: tells that it came here, and waits until the gate is opened. */
  pass(): Promise<void> {
    this.arrivals++;
    this.reach();
    return this.opened;
  }

  /** Resolves when somebody waits at the gate. */
  arrival(): Promise<void> {
    return this.reached;
  }
}

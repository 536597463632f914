import {
  Client,
  credentials,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import type { Address, Stack } from '../stack.js';
import { bytesOf } from './listen.js';

const path = '/bench.Echo/Echo';
const keep = (bytes: Buffer): Buffer => bytes;
const limits = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const service: ServiceDefinition = {
  echo: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: keep,
    requestDeserialize: keep,
    responseSerialize: keep,
    responseDeserialize: keep,
  },
};

/** Unary calls of grpc-js whose messages are the bytes themselves: no protobuf is spoken. */
export const grpc: Stack = {
  name: 'grpc-js unary',
  async serve(at) {
    const server = new Server(limits);
    const echo: handleUnaryCall<Buffer, Buffer> = (call, answer) => answer(null, call.request);
    server.addService(service, { echo });
    const where = at.transport === 'unix' ? `unix:${at.path}` : '127.0.0.1:0';
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(where, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return at.transport === 'unix' ? { path: at.path } : { port };
  },
  async connect(address: Address, _concurrency, payload) {
    const where = 'path' in address ? `unix:${address.path}` : `127.0.0.1:${address.port}`;
    const client = new Client(where, credentials.createInsecure(), limits);
    const bytes = bytesOf(payload);
    return {
      call: () =>
        new Promise((resolve, reject) => {
          client.makeUnaryRequest(path, keep, keep, bytes, (error, answer) =>
            error === null ? resolve(answer?.byteLength ?? -1) : reject(error),
          );
        }),
      close: async () => client.close(),
    };
  },
};

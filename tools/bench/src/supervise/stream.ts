import { Client, credentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { type Asker, Failure, failureOfCall } from '@bentots/load';

/** Asks for a number of messages. */
export interface StreamRequest {
  readonly id: number;
  readonly count: number;
  readonly everyMs: number;
}

/** Message `n`, from 0, of the stream that was asked for as `id`. */
export interface StreamMessage {
  readonly id: number;
  readonly n: number;
}

const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A server-streaming method whose messages are JSON. */
export const countUp: MethodDefinition<StreamRequest, StreamMessage> = {
  path: '/bench.Stream/CountUp',
  requestStream: false,
  responseStream: true,
  requestSerialize: encode,
  requestDeserialize: (bytes) => JSON.parse(bytes.toString()) as StreamRequest,
  responseSerialize: encode,
  responseDeserialize: (bytes) => JSON.parse(bytes.toString()) as StreamMessage,
};

let asked = 0;

/** A client that asks for one stream after the other, and takes each only whole, in order and with its own id. */
export function streamCountUp(url: string): Asker {
  const client = new Client(new URL(url).host, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  return {
    ask: (signal) => {
      asked += 1;
      return readStream(client, { id: asked, count: 10, everyMs: 5 }, signal);
    },
    close: () => client.close(),
  };
}

function readStream(client: Client, request: StreamRequest, signal: AbortSignal): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = countUp;
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
  signal.addEventListener('abort', () => call.cancel(), { once: true });
  return new Promise((resolve, reject) => {
    let next = 0;
    call.on('data', ({ id, n }: StreamMessage) => {
      if (id === request.id && n === next) next += 1;
      else reject(new Failure('wrong', `stream ${request.id} has message ${n} of ${id}, not its ${next}`));
    });
    call.on('error', (error: ServiceError) => reject(failureOfCall(error)));
    call.on('end', () => {
      if (next === request.count) resolve();
      // With an error after it, this comes too early to say so: the error's own words are better.
      else setImmediate(() => reject(new Failure('wrong', `stream ${request.id} ended after ${next}`)));
    });
  });
}

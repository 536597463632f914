import { createServer } from 'node:net';
import { connectRunner } from '@bentots/runner-client';
import type { RunnerAddress } from '@bentots/runner-map';
import { detectProtocol, type Hello, ServerConnection } from '@bentots/runner-wire';
import { Tensor } from '@bentots/service';
import type { Stack } from '../stack.js';
import { listen } from './listen.js';

const hello: Hello = { runner: 'echo', worker: 1, workers: 1, protocol: 1, methods: ['echo'] };

/** The project's own hop: a tensor from runner-client to a runner-wire server and back. */
export const frames: Stack = {
  name: 'frames',
  serve(at) {
    const server = createServer(async (socket) => {
      if ((await detectProtocol(socket)) !== 'wire') return socket.destroy();
      return new ServerConnection(socket, { hello, onCall: (call) => call.respond(call.args[0]) });
    });
    return listen(server, at.transport === 'unix' ? at.path : undefined);
  },
  async connect(address, _concurrency, payload) {
    const tensor = new Tensor('float32', payload, [1, payload.length]);
    const where: RunnerAddress =
      'path' in address
        ? { kind: 'unix', path: address.path }
        : { kind: 'tcp', host: '127.0.0.1', port: address.port };
    const runner = connectRunner('echo', [where]);
    return {
      async call() {
        const answer = await runner.run('echo', [tensor], {});
        return answer instanceof Tensor ? answer.byteLength : -1;
      },
      close: () => runner.close(),
    };
  },
};

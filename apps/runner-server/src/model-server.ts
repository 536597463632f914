import { createServer, type Server, type Socket } from 'node:net';
import { ServeError } from '@bentots/errors';
import { type Hello, type IncomingCall, ServerConnection } from '@bentots/runner-wire';
import type { CallContext } from '@bentots/service';
import { withStack } from './failure-stack.js';
import type { RunnableHost } from './runnable-host.js';
import { Turns } from './turns.js';

/** What a {@link ModelServer} serves. */
export interface ModelServerInit {
  readonly hello: Hello;
  readonly host: RunnableHost;
  /** A call was answered, well or not. */
  onCallEnd(): void;
}

/**
 * The model's side of the private socket between a runner's dispatcher and its workers. Calls are made as they come:
 * how many there are at once is the dispatcher's business. What was cancelled, or is overdue, before its turn never runs.
 */
export class ModelServer {
  readonly server: Server;
  readonly #init: ModelServerInit;
  readonly #connections = new Set<ServerConnection>();
  readonly #turns = new Turns();

  constructor(init: ModelServerInit) {
    this.#init = init;
    this.server = createServer({ noDelay: true }, (socket) => this.#welcome(socket));
  }

  /** Takes no more calls; resolves when those in flight are answered, or were cut off because `signal` aborted. */
  async drain(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.close(signal)));
  }

  #welcome(socket: Socket): void {
    const { hello } = this.#init;
    const connection = new ServerConnection(socket, {
      hello,
      onCall: (call) => this.#turns.take(() => this.#answer(call)),
      // The socket of a process that died is closed by the kernel; and a model may compute for longer than any beat.
      heartbeatMs: 0,
    });
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }

  #answer(call: IncomingCall): void {
    if (call.settled) return;
    if (call.deadline !== undefined && call.deadline <= Date.now()) {
      const late = `the time for '${call.method}' was over before its turn came`;
      return call.fail(new ServeError('deadline_exceeded', late));
    }
    const done = this.#run(call).catch((error: unknown) => call.fail(withStack(error)));
    void done.then(() => this.#init.onCallEnd());
  }

  async #run(call: IncomingCall): Promise<void> {
    const { host } = this.#init;
    const { method, args, signal, deadline, traceparent } = call;
    const context: CallContext = { signal, deadline, traceparent };
    if (!call.stream) return call.respond(await host.call(method, args, context));
    for await (const value of host.stream(method, args, context)) await call.chunk(value);
    call.end();
  }
}

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadReport, LoadRequest, PeerRequest } from './peer.js';
import type { Address, Stack, Transport } from './stack.js';

/** One measured round. CPU times are of each process, in milliseconds. */
export interface Sample {
  readonly stack: string;
  readonly transport: Transport;
  readonly bytes: number;
  readonly concurrency: number;
  readonly calls: number;
  readonly wallMs: number;
  readonly clientCpuMs: number;
  readonly serverCpuMs: number;
}

/** The two processes of one stack. */
export class Pair {
  readonly #stack: string;
  readonly #transport: Transport;
  readonly #server = new Peer();
  readonly #client = new Peer();
  #address: Address | undefined;

  constructor(stack: Stack, transport: Transport) {
    this.#stack = stack.name;
    this.#transport = transport;
  }

  /** Starts the server; unix sockets are made in `folder`. */
  async start(folder: string): Promise<void> {
    const path = join(folder, `${this.#stack.replaceAll(/\W+/g, '-')}.sock`);
    const stack = this.#stack;
    this.#address = await this.#server.ask<Address>(
      this.#transport === 'unix' ? { do: 'serve', stack, path } : { do: 'serve', stack },
    );
  }

  /** Runs one round. */
  async measure(load: Omit<LoadRequest, 'stack' | 'address'>): Promise<Sample> {
    if (this.#address === undefined) throw new Error(`the server of ${this.#stack} was not started`);
    const before = await this.#server.ask<number>({ do: 'cpu' });
    const request = { do: 'load' as const, stack: this.#stack, address: this.#address, ...load };
    const { calls, wallMs, cpuMs } = await this.#client.ask<LoadReport>(request);
    const serverCpuMs = (await this.#server.ask<number>({ do: 'cpu' })) - before;
    const { bytes, concurrency } = load;
    const what = { stack: this.#stack, transport: this.#transport, bytes, concurrency };
    return { ...what, calls, wallMs, clientCpuMs: cpuMs, serverCpuMs };
  }

  /** Ends both processes. */
  stop(): void {
    this.#client.stop();
    this.#server.stop();
  }
}

class Peer {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./peer.ts', import.meta.url)), {
    // Named, as the bench may itself run in a test runner.
    execArgv: ['--import', 'tsx'],
  });

  ask<T>(request: PeerRequest): Promise<T> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null): void =>
        reject(new Error(`the process ended with ${code} instead of answering '${request.do}'`));
      this.#child.once('exit', ended);
      this.#child.once('message', (answer) => {
        this.#child.off('exit', ended);
        resolve(answer as T);
      });
      this.#child.send(request);
    });
  }

  stop(): void {
    this.#child.kill();
  }
}

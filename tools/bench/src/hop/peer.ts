import type { Address, EchoClient } from './stack.js';
import { findStack } from './stacks/list.js';

/** What the bench asks of a process that it started: to be the server or the client of one stack. */
export type PeerRequest =
  | { readonly do: 'serve'; readonly stack: string; readonly path?: string }
  | ({ readonly do: 'load' } & LoadRequest)
  | { readonly do: 'cpu' };

/** Calls of one size, `concurrency` at a time, for about `durationMs`. */
export interface LoadRequest {
  readonly stack: string;
  readonly address: Address;
  readonly bytes: number;
  readonly concurrency: number;
  readonly durationMs: number;
}

/** What a load came to; the CPU time is this process's own, of user and kernel. */
export interface LoadReport {
  readonly calls: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

const clients = new Map<string, Promise<EchoClient>>();

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function load(request: LoadRequest): Promise<LoadReport> {
  const { stack, address, bytes, concurrency, durationMs } = request;
  const key = `${bytes} ${concurrency}`;
  const payload = (): Float32Array => Float32Array.from({ length: bytes / 4 }, (_, i) => i % 1000);
  const opened = clients.get(key) ?? findStack(stack).connect(address, concurrency, payload());
  clients.set(key, opened);
  const client = await opened;
  const [startedAt, cpuAtStart] = [performance.now(), cpuMs()];
  let calls = 0;
  const loop = async (): Promise<void> => {
    do {
      const received = await client.call();
      if (received !== bytes) throw new Error(`${stack} answered ${received} bytes instead of ${bytes}`);
      calls += 1;
    } while (performance.now() - startedAt < durationMs);
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  return { calls, wallMs: performance.now() - startedAt, cpuMs: cpuMs() - cpuAtStart };
}

async function answer(request: PeerRequest): Promise<Address | LoadReport | number> {
  if (request.do === 'cpu') return cpuMs();
  if (request.do === 'load') return load(request);
  const { stack, path } = request;
  return findStack(stack).serve(path === undefined ? { transport: 'tcp' } : { transport: 'unix', path });
}

process.on('message', (request: PeerRequest) => {
  void answer(request).then((result) => process.send?.(result));
});
// The bench is gone: nobody will ask again.
process.on('disconnect', () => process.exit());

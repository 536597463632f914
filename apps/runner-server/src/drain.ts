import type { DrainManner } from '@bentots/supervisor/child';
import type { INestMicroservice } from '@nestjs/common';
import type { FrameServer } from './frame-server.js';
import type { RunnableHost } from './runnable-host.js';
import type { RunnerMethods } from './runner-methods.js';

/** What is taken down, in this order. */
export interface RunningServer {
  readonly frames: FrameServer;
  readonly methods: RunnerMethods;
  readonly app: INestMicroservice;
  readonly host: RunnableHost;
}

/**
 * Stops a runner server without losing a call: clients are told to go elsewhere, what is in flight is answered, queues
 * run empty, and then the model goes. Each step gives up when `signal` aborts, so that the next one has its turn.
 */
export async function drainRunner(
  { frames, methods, app, host }: RunningServer,
  signal: AbortSignal,
  manner: DrainManner,
): Promise<void> {
  await frames.drain(signal, manner);
  await unlessAborted(signal, methods.close());
  await unlessAborted(signal, app.close());
  await unlessAborted(signal, host.close());
}

async function unlessAborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  if (signal.aborted) return void work.catch(() => undefined);
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await Promise.race([work, aborted]);
}

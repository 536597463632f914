import type { DrainManner } from '@bentots/supervisor/child';
import type { INestMicroservice } from '@nestjs/common';
import type { FrameServer } from './frame-server.js';
import type { RunnerMethods } from './runner-methods.js';
import type { RunnerWorkers } from './runner-workers.js';

/** What is taken down, in this order. */
export interface RunningDispatcher {
  readonly frames: FrameServer;
  readonly methods: RunnerMethods;
  readonly app: INestMicroservice;
  readonly workers: RunnerWorkers;
}

/**
 * Stops a dispatcher without losing a call: clients are told to go elsewhere, what is in flight is answered, queues run
 * empty, and then the workers are let go. Each step gives up when `signal` aborts, so that the next one has its turn.
 */
export async function drainDispatcher(
  { frames, methods, app, workers }: RunningDispatcher,
  signal: AbortSignal,
  manner: DrainManner,
): Promise<void> {
  await frames.drain(signal, manner);
  await unlessAborted(signal, methods.close());
  await unlessAborted(signal, app.close());
  workers.close();
}

/** Settles with `work`, or as soon as `signal` aborts. */
export async function unlessAborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  if (signal.aborted) return void work.catch(() => undefined);
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  await Promise.race([work, aborted]);
}

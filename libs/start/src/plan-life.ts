import type { ServerConfig } from '@bentots/config';
import type { Plan, WatcherSpec } from '@bentots/supervisor';

/** Work that waits longer for its batch to be computed means too few workers. */
const MAX_QUEUE_DELAY_MS = 250;

/** Adds to a plan what its server's configuration says about how its processes and the whole tree end. */
export function planLife(config: ServerConfig, plan: Plan): Plan {
  const { lameDuckMs, onCrashLoop, recycle, maxWorkers, reload } = config;
  return {
    ...plan,
    watchers: plan.watchers.map((watcher) => ({
      ...watcher,
      ...recycle,
      ...planScaling(watcher, maxWorkers),
      restart: { ...watcher.restart, onCrashLoop },
    })),
    lameDuckMs,
    // A browser's idle connection must not keep the old code alive.
    ...(reload && { hurry: true }),
  };
}

/** A watcher that has as many workers as allowed, or more, keeps them. */
function planScaling(
  { numProcesses, singleton }: WatcherSpec,
  maxWorkers: number | undefined,
): Pick<WatcherSpec, 'scaling'> {
  if (maxWorkers === undefined || singleton === true || maxWorkers <= numProcesses) return {};
  return { scaling: { min: numProcesses, max: maxWorkers, maxQueueDelayMs: MAX_QUEUE_DELAY_MS } };
}

import type { ServerConfig } from '@bentots/config';
import type { Plan } from '@bentots/supervisor';

/** Adds to a plan what its server's configuration says about how its processes and the whole tree end. */
export function planLife({ lameDuckMs, onCrashLoop, recycle, reload }: ServerConfig, plan: Plan): Plan {
  return {
    ...plan,
    watchers: plan.watchers.map((watcher) => ({
      ...watcher,
      ...recycle,
      restart: { ...watcher.restart, onCrashLoop },
    })),
    lameDuckMs,
    // A browser's idle connection must not keep the old code alive.
    ...(reload && { hurry: true }),
  };
}

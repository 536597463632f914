import type { ServerConfig } from '@bentots/config';
import type { Plan } from '@bentots/supervisor';

/** Adds to a plan what its server's configuration says about how the whole tree ends. */
export function planLife({ lameDuckMs, onCrashLoop, reload }: ServerConfig, plan: Plan): Plan {
  return {
    ...plan,
    watchers: plan.watchers.map((watcher) => ({ ...watcher, restart: { ...watcher.restart, onCrashLoop } })),
    lameDuckMs,
    // A browser's idle connection must not keep the old code alive.
    ...(reload && { hurry: true }),
  };
}

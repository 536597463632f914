import type { Service, WorkerContext } from '@bentots/service';
import type { Logger } from '@bentots/telemetry';

/** Runs the service's start-up hooks, one after the other; the first that throws ends it. */
export async function runStartupHooks(service: Service, context: WorkerContext): Promise<void> {
  for (const hook of service.hooks.startup) await hook(context);
}

/** Runs the service's shutdown hooks, every one of them: what one throws is logged. */
export async function runShutdownHooks(service: Service, context: WorkerContext, log: Logger): Promise<void> {
  for (const hook of service.hooks.shutdown) {
    try {
      await hook(context);
    } catch (error) {
      log.error(`a shutdown hook of service '${service.name}' failed`, { error });
    }
  }
}

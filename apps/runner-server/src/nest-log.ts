import type { Logger } from '@bentots/telemetry';
import type { LoggerService } from '@nestjs/common';

/** Nest's own messages in this worker's log: what it composes is for debugging, what it complains about is not. */
export function toNestLog(log: Logger): LoggerService {
  return {
    log: (message: unknown) => log.debug(String(message)),
    debug: (message: unknown) => log.debug(String(message)),
    verbose: (message: unknown) => log.debug(String(message)),
    warn: (message: unknown) => log.warn(String(message)),
    error: (message: unknown, ...more: unknown[]) => {
      const error = message instanceof Error ? message : more.find((one) => one instanceof Error);
      log.error(String(message), error === undefined ? {} : { error });
    },
  };
}

import type { Logger } from '@bentots/telemetry';
import type { LoggerService } from '@nestjs/common';

/** Nest's words in our log: what it says of itself is for debugging, its warnings and errors are ours. */
export function createNestLog(log: Logger): LoggerService {
  return {
    log: (message: unknown) => log.debug(String(message)),
    warn: (message: unknown) => log.warn(String(message)),
    error: (message: unknown, ...more: unknown[]) =>
      log.error(String(message), more[0] ? { error: more[0] } : {}),
  };
}

import type { GrpcServerConfig } from '@bentots/config';
import { ServeError } from '@bentots/errors';

/** Options that are known and checked, and whose effect does not exist yet: an error, never silence. */
export function checkGrpcSupported(config: GrpcServerConfig): void {
  if (config.protocolVersion !== 'v1') {
    refuse('protocolVersion', config.protocolVersion, "use 'v1'");
  }
  if (config.reflection) refuse('reflection', true, 'leave it out');
}

function refuse(option: string, value: unknown, instead: string): never {
  throw new ServeError(
    'not_supported',
    `option '${option}' is ${JSON.stringify(value)}, which is not supported yet; ${instead}`,
    { details: { option } },
  );
}

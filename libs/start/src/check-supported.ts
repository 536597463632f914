import type { GrpcServerConfig } from '@bentots/config';
import { ServeError } from '@bentots/errors';

/** Refuses what is known and checked, and whose effect does not exist yet: an error, never silence. */
export function checkGrpcSupported({ protocolVersion }: GrpcServerConfig): void {
  if (protocolVersion === 'v1') return;
  throw new ServeError(
    'not_supported',
    `option 'protocolVersion' is "${protocolVersion}", which is not supported yet; use 'v1'`,
    { details: { option: 'protocolVersion' } },
  );
}

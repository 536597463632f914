import type { ServerConfig } from '@bentots/config';
import { fingerprintOf } from '@bentots/service';

import type { DescribedTarget } from './describe-target.js';
import type { Prepared } from './prepared.js';

/** How a change of the service is noticed: in its files, when `reload` is on, and in what it says of itself. */
export function toWatched(
  { reload }: ServerConfig,
  { target, service, file }: DescribedTarget,
): Pick<Prepared, 'fingerprint' | 'watched'> {
  return {
    fingerprint: fingerprintOf(service),
    ...(reload && { watched: { dir: target.workingDir, file } }),
  };
}

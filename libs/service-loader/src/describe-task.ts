import type { ServeErrorJson } from '@bentots/errors';
import type { ServiceDescription } from '@bentots/service';
import type { LoadedService } from './load-service.js';

/** What the child is asked. */
export interface DescribeTask {
  readonly identifier: string;
  readonly workingDir: string;
  /** Also run the service's deployment hooks, in order. */
  readonly runDeploymentHook?: boolean;
}

/** The description, with what makes another process load the same service. */
export type DescribedService = ServiceDescription & Pick<LoadedService, 'identifier' | 'file' | 'workingDir'>;

/** The line that the child writes. */
export type DescribeAnswer = { readonly ok: DescribedService } | { readonly error: ServeErrorJson };

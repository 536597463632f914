import { createRequire } from 'node:module';

import type { ServerConfig, WorkerTarget } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import type { ServiceDescription } from '@bentots/service';
import { type DescribedService, resolveWorkingDir } from '@bentots/service-loader';
import { runOnce } from '@bentots/supervisor';

/** A service that was found: how workers find it again, and what it says of itself. */
export interface DescribedTarget {
  readonly target: WorkerTarget;
  readonly service: ServiceDescription;
  /** Its module, absolute. */
  readonly file: string;
}

/** How {@link describeTarget} goes about it. */
export interface DescribeOptions {
  /** Whether the service's deployment hooks run; once per tree, and not for a dry run. */
  readonly deploy: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Importing a model author's libraries can take long; a module that waits for something for ever must not. */
const DESCRIBE_TIMEOUT_MS = 180_000;

/**
 * Resolves the working directory, then loads and describes the service in a short-lived child, so that user code never
 * runs in the process that supervises.
 * @throws ServeError of the loader: service_not_found, service_broken, service_invalid, invalid_config, invalid_option
 */
export async function describeTarget(
  config: ServerConfig,
  options: DescribeOptions,
): Promise<DescribedTarget> {
  const cwd = await resolveWorkingDir(config.workingDir ?? '.');
  const entry = createRequire(import.meta.url).resolve('@bentots/service-loader/describe-main');
  const task = { identifier: config.bentoIdentifier, workingDir: cwd, runDeploymentHook: options.deploy };
  const answer = await runOnce(entry, task, {
    cwd,
    timeoutMs: DESCRIBE_TIMEOUT_MS,
    failureCode: 'service_broken',
    ...(options.signal && { signal: options.signal }),
  });
  if (!isDescribed(answer)) {
    throw new ServeError('internal', `service '${config.bentoIdentifier}' was described in an unknown form`);
  }
  const { identifier, workingDir, file, ...service } = answer;
  return { target: { identifier, workingDir }, service, file };
}

/** Only guards against a describe program of another version: what it prints is made by `describeService`. */
function isDescribed(answer: unknown): answer is DescribedService {
  return typeof answer === 'object' && answer !== null && 'runners' in answer && 'workingDir' in answer;
}

// A child process's whole program: argv[2] is a DescribeTask as JSON; one line of JSON goes to descriptor 3. The service
// module runs here, so that the parent stays clean of it and its prints go where the parent sends them.
import { writeSync } from 'node:fs';
import { ServeError, type ServeErrorJson } from '@bentots/errors';
import { type Service, describeService } from '@bentots/service';
import type { DescribeAnswer, DescribeTask, DescribedService } from './describe-task.js';
import { loadService } from './load-service.js';

const ANSWER_FD = 3;

process.once('exit', refuseEarlyExit);
answer(
  await describe(process.argv[2]).then(
    (ok) => ({ ok }),
    (error: unknown) => ({ error: sayError(error) }),
  ),
);

async function describe(text: string | undefined): Promise<DescribedService> {
  const task = parseTask(text);
  const { service, identifier, file, workingDir } = await loadService(task.identifier, task.workingDir);
  if (task.runDeploymentHook === true) await runDeploymentHooks(service);
  return { ...describeService(service), identifier, file, workingDir };
}

async function runDeploymentHooks(service: Service): Promise<void> {
  try {
    for (const hook of service.hooks.deployment) await hook();
  } catch (error) {
    if (error instanceof ServeError) throw error;
    const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new ServeError('service_broken', `a deployment hook of service '${service.name}' throws ${words}`, {
      cause: error,
    });
  }
}

function parseTask(text: string | undefined): DescribeTask {
  const task: unknown = text === undefined ? undefined : JSON.parse(text);
  if (isTask(task)) return task;
  throw new ServeError('invalid_option', 'expected one argument: JSON with identifier and workingDir');
}

function isTask(value: unknown): value is DescribeTask {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'identifier' in value &&
    typeof value.identifier === 'string' &&
    'workingDir' in value &&
    typeof value.workingDir === 'string'
  );
}

/** Nobody reads this process's log: an unexpected error brings its own words along. */
function sayError(error: unknown): ServeErrorJson {
  const known = ServeError.from(error);
  if (known.code !== 'internal') return known.toJSON();
  return {
    code: known.code,
    message: `cannot describe the service: ${error instanceof Error ? error.message : String(error)}`,
  };
}

/** Timers and sockets that the module left open do not keep the child. */
function answer(line: DescribeAnswer): never {
  process.off('exit', refuseEarlyExit);
  writeSync(ANSWER_FD, `${JSON.stringify(line)}\n`);
  process.exit(0);
}

function refuseEarlyExit(code: number): void {
  const message = `the service module ended the process (exit code ${code}) while it was loaded`;
  answer({ error: new ServeError('service_broken', message).toJSON() });
}

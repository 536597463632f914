import { compileRunnerServerConfig, countCpus, readEnvironment } from '@bentots/config';

import { announceRunner, formatTag } from './announce.js';
import { checkTls } from './check-tls.js';
import { describeTarget } from './describe-target.js';
import { launch } from './launch.js';
import { pickEntry } from './pick-entry.js';
import { planControl } from './plan-control.js';
import { planRunnerServer } from './plan-runner-server.js';
import type { Prepare } from './prepared.js';
import { createRuntimeDirName } from './runtime-dir.js';
import type { ServerHandle } from './server-handle.js';
import type { StartRunnerServerOptions } from './start-options.js';
import { toWatched } from './to-watched.js';

/**
 * Serves one runner of a service over TCP until told to stop. Without `port` a free one is taken and kept, and
 * reported by `ready`; without `host` only this machine can reach it.
 *
 * The handle rejects with invalid_option, service_*, runner_not_found, tls_invalid, address_* or worker_not_ready.
 */
export function startRunnerServer(options: StartRunnerServerOptions): ServerHandle {
  return launch(prepareRunnerServer(options), options);
}

/** Everything {@link startRunnerServer} does before the first process. */
export function prepareRunnerServer(options: StartRunnerServerOptions): Prepare {
  // The same directory each time that the plan of one tree is made.
  const runtimeDir = createRuntimeDirName();
  return async (how) => {
    const { workers, signals: _, environment = readEnvironment(), ...own } = options;
    const config = compileRunnerServerConfig(own, environment);
    const entries = { runner: pickEntry(workers, 'runner'), dispatcher: pickEntry(workers, 'dispatcher') };
    await checkTls(config.ssl);
    const described = await describeTarget(config, how);
    const { target, service } = described;
    const machine = { cpus: countCpus(), environment };
    return {
      plan: planControl(
        planRunnerServer({ config, target, service, entries, runtimeDir, machine }),
        config.control,
      ),
      log: config.log,
      metrics: true,
      startLine: `Starting RunnerServer "${config.runnerName}" of "${formatTag(service)}" from ${target.workingDir}`,
      announce: announceRunner(config, service),
      runtimeDir,
      ...toWatched(config, described),
    };
  };
}

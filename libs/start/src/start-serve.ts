import { compileServeConfig, countCpus, readEnvironment } from '@bentots/config';

import { announceServe, formatTag } from './announce.js';
import { checkTls } from './check-tls.js';
import { describeTarget } from './describe-target.js';
import { launch } from './launch.js';
import { pickEntry } from './pick-entry.js';
import { planControl } from './plan-control.js';
import { pickMetricsPort } from './plan-edge.js';
import { planServe } from './plan-serve.js';
import type { Prepare } from './prepared.js';
import { createRuntimeDirName } from './runtime-dir.js';
import type { ServerHandle } from './server-handle.js';
import type { StartServeOptions } from './start-options.js';
import { toWatched } from './to-watched.js';

/**
 * All in one: every runner on a unix socket in a private directory, the HTTP edge and, unless `grpc` is false, the
 * gRPC edge, in one process tree until told to stop. Runners start first and stop last. Without
 * `port` and `grpcPort` free ones are taken and kept, and reported by `ready`.
 *
 * The handle rejects as those of the other three.
 */
export function startServe(options: StartServeOptions): ServerHandle {
  return launch(prepareServe(options), options);
}

/** Everything {@link startServe} does before the first process. */
export function prepareServe(options: StartServeOptions): Prepare {
  // The same directory each time that the plan of one tree is made.
  const runtimeDir = createRuntimeDirName();
  return async (how) => {
    const { workers, signals: _, environment = readEnvironment(), defaults, ...own } = options;
    const config = compileServeConfig(own, environment, { defaults });
    const entries = {
      runner: pickEntry(workers, 'runner'),
      dispatcher: pickEntry(workers, 'dispatcher'),
      http: pickEntry(workers, 'http'),
      grpc: config.grpc ? pickEntry(workers, 'grpc') : '',
    };
    await checkTls(config.http.ssl);
    const described = await describeTarget(config.http, how);
    const { target, service } = described;
    const machine = { cpus: countCpus(), environment };
    return {
      plan: planControl(
        planServe({ config, target, service, entries, runtimeDir, machine }),
        config.http.control,
      ),
      log: config.http.log,
      metrics:
        config.http.metrics.enabled ||
        (config.grpc !== undefined && pickMetricsPort(config.grpc) !== undefined),
      startLine: `Starting BentoServer "${formatTag(service)}" with its runners from ${target.workingDir}`,
      announce: announceServe(config, service),
      runtimeDir,
      ...toWatched(config.http, described),
    };
  };
}

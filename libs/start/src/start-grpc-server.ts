import { compileGrpcServerConfig, readEnvironment } from '@bentots/config';
import { checkRunnerMap, parseRunnerMap } from '@bentots/runner-map';

import { announceGrpc, formatTag } from './announce.js';
import { checkRunnerTls, checkTls } from './check-tls.js';
import { describeTarget } from './describe-target.js';
import { launch } from './launch.js';
import { pickEntry } from './pick-entry.js';
import { planControl } from './plan-control.js';
import { pickMetricsPort } from './plan-edge.js';
import { planGrpcServer } from './plan-grpc-server.js';
import type { Prepare } from './prepared.js';
import type { ServerHandle } from './server-handle.js';
import type { StartGrpcServerOptions } from './start-options.js';
import { toWatched } from './to-watched.js';

/**
 * Serves a service's APIs over gRPC, metrics on a port of their own, until told to stop. It is ready when its
 * runners are: they may be started later. Without `port` and `metricsPort` free ones are taken and kept, and reported by
 * `ready`.
 *
 * The handle rejects as that of `startHttpServer`.
 */
export function startGrpcServer(options: StartGrpcServerOptions): ServerHandle {
  return launch(prepareGrpcServer(options), options);
}

/** Everything {@link startGrpcServer} does before the first process. */
export function prepareGrpcServer(options: StartGrpcServerOptions): Prepare {
  return async (how) => {
    const { workers, signals: _, environment = readEnvironment(), defaults, ...own } = options;
    const config = compileGrpcServerConfig(own, environment, { defaults });
    const entry = pickEntry(workers, 'grpc');
    const runnerMap = parseRunnerMap(config.runnerMap);
    await checkTls(config.ssl);
    await checkRunnerTls(config.runnerSsl, runnerMap);
    const described = await describeTarget(config, how);
    const { target, service } = described;
    checkRunnerMap(runnerMap, service);
    return {
      plan: planControl(planGrpcServer({ config, target, service, entry, runnerMap }), config.control),
      log: config.log,
      metrics: pickMetricsPort(config) !== undefined,
      startLine: `Starting gRPC BentoServer "${formatTag(service)}" from ${target.workingDir}, workers: ${config.apiWorkers}`,
      announce: announceGrpc(config, service),
      ...toWatched(config, described),
    };
  };
}

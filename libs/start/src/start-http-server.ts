import { compileHttpServerConfig, readEnvironment } from '@bentots/config';
import { checkRunnerMap, parseRunnerMap } from '@bentots/runner-map';

import { announceHttp, formatTag } from './announce.js';
import { checkRunnerTls, checkTls } from './check-tls.js';
import { describeTarget } from './describe-target.js';
import { launch } from './launch.js';
import { pickEntry } from './pick-entry.js';
import { planControl } from './plan-control.js';
import { planHttpServer } from './plan-http-server.js';
import type { Prepare } from './prepared.js';
import type { ServerHandle } from './server-handle.js';
import type { StartHttpServerOptions } from './start-options.js';
import { toWatched } from './to-watched.js';

/**
 * Serves a service's APIs over HTTP, its runners reached by the runner map, until told to stop. Without `port` a free one is
 * taken and kept, and reported by `ready`.
 *
 * The handle rejects with invalid_option, service_*, runner_map_invalid, tls_invalid, address_* or worker_not_ready.
 */
export function startHttpServer(options: StartHttpServerOptions): ServerHandle {
  return launch(prepareHttpServer(options), options);
}

/** Everything {@link startHttpServer} does before the first process. */
export function prepareHttpServer(options: StartHttpServerOptions): Prepare {
  return async (how) => {
    const { workers, signals: _, environment = readEnvironment(), defaults, ...own } = options;
    const config = compileHttpServerConfig(own, environment, { defaults });
    const entry = pickEntry(workers, 'http');
    const runnerMap = parseRunnerMap(config.runnerMap);
    await checkTls(config.ssl);
    await checkRunnerTls(config.runnerSsl, runnerMap);
    const described = await describeTarget(config, how);
    const { target, service } = described;
    checkRunnerMap(runnerMap, service);
    return {
      plan: planControl(planHttpServer({ config, target, service, entry, runnerMap }), config.control),
      log: config.log,
      metrics: config.metrics.enabled,
      startLine: `Starting HTTP BentoServer "${formatTag(service)}" from ${target.workingDir}, workers: ${config.apiWorkers}`,
      announce: announceHttp(config, service),
      ...toWatched(config, described),
    };
  };
}

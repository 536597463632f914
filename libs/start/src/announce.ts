import type { GrpcServerConfig, HttpServerConfig, RunnerServerConfig, ServeConfig } from '@bentots/config';
import type { ServiceDescription } from '@bentots/service';

import { formatBoundUrl } from './bound-url.js';
import { EDGE_SOCKETS } from './plan-edge.js';
import { RUNNER_SOCKET } from './plan-runner-server.js';
import type { Announce } from './prepared.js';

const STOP_HINT = '(press CTRL+C to quit)';

/** A runner server's address is what a runner map takes. */
export function announceRunner(
  { runnerName, ssl }: RunnerServerConfig,
  service: ServiceDescription,
): Announce {
  return (addresses) => {
    const url = formatBoundUrl(ssl ? 'tcps' : 'tcp', RUNNER_SOCKET, addresses);
    const metricsUrl = formatBoundUrl(ssl ? 'https' : 'http', RUNNER_SOCKET, addresses) + '/metrics';
    const lines = [
      `RunnerServer "${runnerName}" of "${formatTag(service)}" is ready on ${url} ${STOP_HINT}`,
      `Prometheus metrics for RunnerServer "${runnerName}" can be read at ${metricsUrl}`,
    ];
    return { facts: { addresses, url, metricsUrl }, lines };
  };
}

/** Scheme and port are what is really served, not what was asked for. */
export function announceHttp(config: HttpServerConfig, service: ServiceDescription): Announce {
  return (addresses) => {
    const url = formatBoundUrl(config.ssl ? 'https' : 'http', EDGE_SOCKETS.http, addresses);
    const server = `HTTP BentoServer "${formatTag(service)}"`;
    const lines = [`${server} is ready on ${url} ${STOP_HINT}`];
    if (!config.metrics.enabled) return { facts: { addresses, url }, lines };
    const metricsUrl = `${url}/metrics`;
    lines.push(`Prometheus metrics for ${server} can be read at ${metricsUrl}`);
    return { facts: { addresses, url, metricsUrl }, lines };
  };
}

/** Metrics have a port of their own, or none. */
export function announceGrpc(config: GrpcServerConfig, service: ServiceDescription): Announce {
  return (addresses) => {
    const url = formatBoundUrl(config.ssl ? 'grpcs' : 'grpc', EDGE_SOCKETS.grpc, addresses);
    const server = `gRPC BentoServer "${formatTag(service)}"`;
    const lines = [`${server} is ready on ${url} ${STOP_HINT}`];
    if (!addresses.some((socket) => socket.name === EDGE_SOCKETS.grpcMetrics)) {
      return { facts: { addresses, url }, lines };
    }
    const metricsUrl = formatBoundUrl('http', EDGE_SOCKETS.grpcMetrics, addresses) + '/metrics';
    lines.push(`Prometheus metrics for ${server} can be read at ${metricsUrl}`);
    return { facts: { addresses, url, metricsUrl }, lines };
  };
}

/** Both edges' lines; the HTTP edge's addresses are the main ones. */
export function announceServe({ http, grpc }: ServeConfig, service: ServiceDescription): Announce {
  return (addresses) => {
    const first = announceHttp(http, service)(addresses);
    if (grpc === undefined) return first;
    const second = announceGrpc(grpc, service)(addresses);
    return {
      facts: { ...first.facts, grpcUrl: second.facts.url },
      lines: [...first.lines, ...second.lines],
    };
  };
}

/** `name:version`, or the name of a service without a version. */
export function formatTag({ name, version }: Pick<ServiceDescription, 'name' | 'version'>): string {
  return version === null ? name : `${name}:${version}`;
}

import { ServeError } from '@bentots/errors';

import type { PortDefaults } from './command-defaults.js';
import { compileControlSocket } from './compile-control-socket.js';
import { compileCors } from './compile-cors.js';
import { compileRunnerSsl, compileSsl } from './compile-ssl.js';
import type {
  EdgeConfig,
  GrpcServerConfig,
  HttpServerConfig,
  RunnerServerConfig,
  ServeConfig,
  ServerConfig,
} from './config.js';
import { countCpus } from './count-cpus.js';
import { deepFreeze } from './deep-freeze.js';
import { isInContainer } from './is-in-container.js';
import type { Environment } from './environment.js';
import { grpcServerFields, httpServerFields, runnerServerFields, serveFields } from './option-fields.js';
import type {
  CommonOptions,
  EdgeOptions,
  GrpcOnlyOptions,
  GrpcServerOptions,
  HttpServerOptions,
  RunnerServerOptions,
  RunnerSslOptions,
  ServeOptions,
} from './options.js';
import { readRunnerMap } from './read-runner-map.js';
import { readValues, type Values } from './read-values.js';

/** What the edges' configuration depends on besides what the user says. */
export interface CompileFacts {
  /** Worker processes unless `apiWorkers` is said. @default the CPUs this process may use */
  readonly cpus?: number;
  /** Ports that are weaker than option and environment. @default free ones */
  readonly defaults?: PortDefaults | undefined;
  /** Decides what `onCrashLoop` is unless it is said. @default what the machine looks like */
  readonly isInContainer?: boolean;
}

/** The runner server's configuration: option, else environment, else default. @throws ServeError invalid_option */
export function compileRunnerServerConfig(
  options: RunnerServerOptions,
  environment: Environment,
  { isInContainer: isInside = isInContainer(environment) }: Pick<CompileFacts, 'isInContainer'> = {},
): RunnerServerConfig {
  const values = readValues<RunnerServerOptions>(runnerServerFields, options, environment);
  if (values.runnerName === undefined) {
    throw new ServeError(
      'invalid_option',
      "option 'runnerName' is missing; expected the name of a runner of the service (or BENTOTS_SERVE_RUNNER_NAME)",
      { details: { option: 'runnerName', env: 'BENTOTS_SERVE_RUNNER_NAME' } },
    );
  }
  return deepFreeze({
    ...toServerConfig(values, { environment, isInside }),
    runnerName: values.runnerName,
    port: values.port,
    timeoutMs: values.timeout === undefined ? undefined : toMs(values.timeout),
    ssl: compileSsl(values),
  });
}

/** The HTTP API server's configuration. @throws ServeError invalid_option, runner_map_invalid */
export function compileHttpServerConfig(
  options: HttpServerOptions,
  environment: Environment,
  facts: CompileFacts = {},
): HttpServerConfig {
  const values = readValues<HttpServerOptions>(httpServerFields, options, environment, facts.defaults);
  return deepFreeze({
    ...toHttpConfig(values, toEdgeFacts(environment, facts)),
    ...toRemoteConfig(values, environment),
  });
}

/** The gRPC API server's configuration. @throws ServeError invalid_option, runner_map_invalid */
export function compileGrpcServerConfig(
  options: GrpcServerOptions,
  environment: Environment,
  facts: CompileFacts = {},
): GrpcServerConfig {
  const values = readValues<GrpcServerOptions>(grpcServerFields, options, environment, facts.defaults);
  return deepFreeze({
    ...toGrpcConfig(values, toEdgeFacts(environment, facts)),
    ...toRemoteConfig(values, environment),
  });
}

/** The configuration of all in one. @throws ServeError invalid_option */
export function compileServeConfig(
  options: ServeOptions,
  environment: Environment,
  { defaults, ...given }: CompileFacts = {},
): ServeConfig {
  const values = readValues<ServeOptions>(serveFields, options, environment, defaults);
  const { grpc, grpcPort: port, ...shared } = values;
  const facts = toEdgeFacts(environment, given);
  return deepFreeze({
    http: { ...toHttpConfig(shared, facts), ...NO_REMOTE },
    grpc: grpc ? { ...toGrpcConfig({ ...shared, port }, facts), ...NO_REMOTE } : undefined,
  });
}

/** How runners that were started apart are reached. */
type RemoteConfig = Pick<EdgeConfig, 'runnerMap' | 'runnerSsl'>;

const NO_REMOTE: RemoteConfig = { runnerMap: {}, runnerSsl: undefined };

type Own<V> = Omit<V, 'runnerMap' | keyof RunnerSslOptions | keyof RemoteConfig>;

function toRemoteConfig(
  values: Values<Pick<EdgeOptions, 'runnerMap'> & RunnerSslOptions>,
  environment: Environment,
): RemoteConfig {
  return { runnerMap: readRunnerMap(values.runnerMap, environment), runnerSsl: compileRunnerSsl(values) };
}

/** What else a server's configuration is made from. */
interface ServerFacts {
  readonly environment: Environment;
  readonly isInside: boolean;
}

interface EdgeFacts extends ServerFacts {
  readonly cpus: number;
}

function toEdgeFacts(
  environment: Environment,
  { cpus = countCpus(), isInContainer: isInside = isInContainer(environment) }: CompileFacts,
): EdgeFacts {
  return { environment, cpus, isInside };
}

function toHttpConfig(values: Own<Values<HttpServerOptions>>, facts: EdgeFacts): Own<HttpServerConfig> {
  return {
    ...toEdgeConfig(values, facts),
    ssl: compileSsl(values),
    keepAliveMs: toMs(known(values.timeoutKeepAlive)),
    maxBodyBytes: known(values.maxBodyBytes),
    maxConcurrency: values.maxConcurrency,
    cors: compileCors(values),
    metrics: { enabled: known(values.metrics), buckets: known(values.metricsBuckets) },
  };
}

function toGrpcConfig(
  values: Own<Values<EdgeOptions & GrpcOnlyOptions>>,
  facts: EdgeFacts,
): Own<GrpcServerConfig> {
  return {
    ...toEdgeConfig(values, facts),
    ssl: compileSsl(values),
    reflection: known(values.reflection),
    channelz: known(values.channelz),
    maxConcurrentStreams: values.maxConcurrentStreams,
    maxConcurrentRpcs: values.maxConcurrentRpcs,
    maxMessageBytes: known(values.maxMessageBytes),
    protocolVersion: known(values.protocolVersion),
    metrics: {
      enabled: known(values.metrics),
      buckets: known(values.metricsBuckets),
      host: values.metricsHost ?? known(values.host),
      port: values.metricsPort,
    },
  };
}

function toEdgeConfig(
  values: Own<Values<EdgeOptions>>,
  facts: EdgeFacts,
): Omit<EdgeConfig, keyof RemoteConfig | 'ssl'> {
  return {
    ...toServerConfig(values, facts),
    port: known(values.port),
    apiWorkers: values.apiWorkers ?? (known(values.reload) ? 1 : facts.cpus),
    timeoutMs: toMs(known(values.timeout)),
  };
}

function toServerConfig(values: Values<CommonOptions>, { environment, isInside }: ServerFacts): ServerConfig {
  // Who is started again from outside need not try for ever; code that is being worked on may crash for a while.
  const onCrashLoop = isInside && !known(values.reload) ? 'stop' : 'keep';
  return {
    bentoIdentifier: known(values.bentoIdentifier),
    workingDir: values.workingDir,
    host: known(values.host),
    backlog: known(values.backlog),
    graceMs: toMs(known(values.timeoutGracefulShutdown)),
    lameDuckMs: toMs(known(values.timeoutLameDuck)),
    onCrashLoop: values.onCrashLoop ?? onCrashLoop,
    recycle: {
      ...(values.maxRequests !== undefined && { maxRequests: values.maxRequests }),
      ...(values.maxWorkerAge !== undefined && { maxAgeMs: Math.ceil(toMs(values.maxWorkerAge)) }),
      ...(values.maxWorkerMemory !== undefined && { maxRssBytes: values.maxWorkerMemory * 1024 ** 2 }),
    },
    maxWorkers: values.maxWorkers,
    log: { level: known(values.logLevel), format: known(values.logFormat), access: known(values.accessLog) },
    control: compileControlSocket(values.controlSocket, environment),
    reload: known(values.reload),
  };
}

/** The value of an option whose field has a default, so that it cannot be missing. */
function known<T>(value: T | undefined): T {
  if (value === undefined) throw new ServeError('internal', 'an option with a default has no value');
  return value;
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}

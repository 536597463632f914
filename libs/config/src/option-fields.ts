import { z } from 'zod';

import {
  bucketsField,
  choiceField,
  customField,
  delayField,
  flagField,
  hostField,
  integerField,
  listField,
  patternField,
  portField,
  secondsField,
  secretField,
  textField,
} from './field.js';
import type {
  BasicTlsOptions,
  CommonOptions,
  EdgeOptions,
  GrpcOnlyOptions,
  GrpcServerOptions,
  HttpServerOptions,
  RunnerMapOption,
  RunnerServerOptions,
  RunnerSslOptions,
  ServeOptions,
  TlsOptions,
} from './options.js';
import type { Fields } from './read-values.js';

const MANY = Number.MAX_SAFE_INTEGER;
const MIB_100 = 100 * 1024 * 1024;

/** Largest message gRPC can frame: its length is four bytes, and Node's buffers end a little earlier. */
const MAX_MESSAGE = 2 ** 31 - 1;

/** What browsers send as `Origin`, but for `null`, which any page can be made to send. */
const ORIGIN = /^(\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#*,A-Z]+)$/;

/** The name of a header. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

const commonFields: Fields<Omit<CommonOptions, 'port' | 'timeout'>> = {
  bentoIdentifier: textField('a module:attribute, a file or a directory', {
    env: 'BENTOTS_SERVICE',
    initial: '.',
  }),
  workingDir: textField('a directory', { env: 'BENTOTS_WORKING_DIR' }),
  host: hostField({ env: 'BENTOTS_HOST', initial: '127.0.0.1' }),
  backlog: integerField(1, 65_535, { env: 'BENTOTS_BACKLOG', initial: 2048 }),
  timeoutGracefulShutdown: secondsField({ env: 'BENTOTS_TIMEOUT_GRACEFUL_SHUTDOWN', initial: 30 }),
  timeoutLameDuck: delayField({ env: 'BENTOTS_TIMEOUT_LAME_DUCK', initial: 0 }),
  onCrashLoop: choiceField(['stop', 'keep'], { env: 'BENTOTS_ON_CRASH_LOOP' }),
  maxRequests: integerField(1, MANY, { env: 'BENTOTS_MAX_REQUESTS' }),
  maxWorkerAge: secondsField({ env: 'BENTOTS_MAX_WORKER_AGE' }),
  maxWorkerMemory: integerField(1, 2 ** 31 - 1, { env: 'BENTOTS_MAX_WORKER_MEMORY' }),
  maxWorkers: integerField(1, 1024, { env: 'BENTOTS_MAX_WORKERS' }),
  logLevel: choiceField(['debug', 'info', 'warn', 'error', 'silent'], {
    env: 'BENTOTS_LOG_LEVEL',
    initial: 'info',
  }),
  logFormat: choiceField(['text', 'json'], { env: 'BENTOTS_LOG_FORMAT', initial: 'text' }),
  accessLog: flagField({ env: 'BENTOTS_ACCESS_LOG', initial: true }),
  controlSocket: textField("a file's path, or 'off'", { env: 'BENTOTS_CONTROL_SOCKET' }),
  reload: flagField({ env: 'BENTOTS_RELOAD', initial: false }),
};

/** A free port; the commands bring defaults of their own. */
const edgePort = portField({ env: 'BENTOTS_PORT', initial: 0 });

const requestTimeout = secondsField({ env: 'BENTOTS_TIMEOUT', initial: 60 });

const basicTlsFields: Fields<BasicTlsOptions> = {
  sslCertfile: textField('a PEM file', { env: 'BENTOTS_SSL_CERTFILE' }),
  sslKeyfile: textField('a PEM file', { env: 'BENTOTS_SSL_KEYFILE' }),
  sslCaCerts: textField('a PEM file', { env: 'BENTOTS_SSL_CA_CERTS' }),
};

const tlsFields: Fields<TlsOptions> = {
  ...basicTlsFields,
  sslKeyfilePassword: secretField('a password', { env: 'BENTOTS_SSL_KEYFILE_PASSWORD' }),
  sslVersion: choiceField(['TLSv1.2', 'TLSv1.3'], { env: 'BENTOTS_SSL_VERSION' }),
  sslCertReqs: choiceField(['none', 'optional', 'required'], { env: 'BENTOTS_SSL_CERT_REQS' }),
  sslCiphers: textField('a cipher list', { env: 'BENTOTS_SSL_CIPHERS' }),
};

const runnerSslFields: Fields<RunnerSslOptions> = {
  runnerSslCaCerts: textField('a PEM file', { env: 'BENTOTS_RUNNER_SSL_CA_CERTS' }),
  runnerSslCertfile: textField('a PEM file', { env: 'BENTOTS_RUNNER_SSL_CERTFILE' }),
  runnerSslKeyfile: textField('a PEM file', { env: 'BENTOTS_RUNNER_SSL_KEYFILE' }),
  runnerSslKeyfilePassword: secretField('a password', { env: 'BENTOTS_RUNNER_SSL_KEYFILE_PASSWORD' }),
  runnerSslServerName: hostField({ env: 'BENTOTS_RUNNER_SSL_SERVER_NAME' }),
};

/** The runner server's options. No default port: a free one is taken, kept and reported. */
export const runnerServerFields: Fields<RunnerServerOptions> = {
  ...commonFields,
  ...tlsFields,
  port: portField({ env: 'BENTOTS_PORT' }),
  timeout: secondsField({ env: 'BENTOTS_TIMEOUT' }),
  runnerName: textField('the name of a runner of the service', { env: 'BENTOTS_SERVE_RUNNER_NAME' }),
};

const runnerMapSchema: z.ZodType<RunnerMapOption> = z.union([
  z.string(),
  z.array(z.string()).readonly(),
  z.record(z.string(), z.union([z.string(), z.array(z.string()).readonly()])),
]);

/** What reaches runners that were started apart. */
type RemoteOptions = RunnerSslOptions & Pick<EdgeOptions, 'runnerMap'>;

const edgeFields: Fields<Omit<EdgeOptions, keyof CommonOptions | keyof RemoteOptions>> = {
  ...basicTlsFields,
  apiWorkers: integerField(1, 1024, { env: 'BENTOTS_API_WORKERS' }),
  metrics: flagField({ env: 'BENTOTS_METRICS', initial: true }),
  metricsBuckets: bucketsField({ env: 'BENTOTS_METRICS_BUCKETS', initial: DURATION_BUCKETS }),
};

/** Its environment variables are read apart: two of them stand for this one option. */
const runnerMap = customField(runnerMapSchema, 'name=tcp://host:port entries, an object, JSON or a file', {});

const httpOnlyFields: Fields<Omit<HttpServerOptions, keyof EdgeOptions | keyof TlsOptions>> = {
  timeoutKeepAlive: secondsField({ env: 'BENTOTS_TIMEOUT_KEEP_ALIVE', initial: 5 }),
  maxBodyBytes: integerField(1, MANY, { env: 'BENTOTS_MAX_BODY_BYTES', initial: MIB_100 }),
  maxConcurrency: integerField(1, MANY, { env: 'BENTOTS_MAX_CONCURRENCY' }),
  corsOrigins: listField(ORIGIN, "origins such as https://app.example, without a path, or '*'", {
    env: 'BENTOTS_CORS_ORIGINS',
  }),
  corsOriginRegex: patternField({ env: 'BENTOTS_CORS_ORIGIN_REGEX' }),
  corsMethods: listField(/^[A-Z]+$/, 'methods in capitals, such as GET,POST', {
    env: 'BENTOTS_CORS_METHODS',
  }),
  corsHeaders: listField(TOKEN, 'names of headers', { env: 'BENTOTS_CORS_HEADERS' }),
  corsExposeHeaders: listField(TOKEN, 'names of headers', { env: 'BENTOTS_CORS_EXPOSE_HEADERS' }),
  corsCredentials: flagField({ env: 'BENTOTS_CORS_CREDENTIALS' }),
  corsMaxAge: integerField(0, 86_400, { env: 'BENTOTS_CORS_MAX_AGE' }),
};

/** The HTTP server's options. */
export const httpServerFields: Fields<HttpServerOptions> = {
  ...commonFields,
  ...edgeFields,
  ...tlsFields,
  ...httpOnlyFields,
  ...runnerSslFields,
  runnerMap,
  port: edgePort,
  timeout: requestTimeout,
};

const grpcOnlyFields: Fields<GrpcOnlyOptions> = {
  reflection: flagField({ env: 'BENTOTS_GRPC_REFLECTION', initial: false }),
  channelz: flagField({ env: 'BENTOTS_GRPC_CHANNELZ', initial: false }),
  maxConcurrentStreams: integerField(1, 2 ** 31 - 1, { env: 'BENTOTS_GRPC_MAX_CONCURRENT_STREAMS' }),
  maxConcurrentRpcs: integerField(1, MANY, { env: 'BENTOTS_GRPC_MAX_CONCURRENT_RPCS' }),
  maxMessageBytes: integerField(1, MAX_MESSAGE, { env: 'BENTOTS_GRPC_MAX_MESSAGE_BYTES', initial: MIB_100 }),
  protocolVersion: choiceField(['v1', 'v1alpha1'], { env: 'BENTOTS_GRPC_PROTOCOL_VERSION', initial: 'v1' }),
  metricsHost: hostField({ env: 'BENTOTS_METRICS_HOST' }),
  metricsPort: portField({ env: 'BENTOTS_METRICS_PORT', initial: 0 }),
};

/** The gRPC server's options. */
export const grpcServerFields: Fields<GrpcServerOptions> = {
  ...commonFields,
  ...edgeFields,
  ...grpcOnlyFields,
  ...runnerSslFields,
  runnerMap,
  port: edgePort,
  timeout: requestTimeout,
};

/** The options of all in one: no runner map, as it starts the runners itself, and no metrics port unless asked. */
export const serveFields: Fields<ServeOptions> = {
  ...commonFields,
  ...edgeFields,
  ...tlsFields,
  ...httpOnlyFields,
  ...grpcOnlyFields,
  port: edgePort,
  timeout: requestTimeout,
  metricsPort: portField({ env: 'BENTOTS_METRICS_PORT' }),
  grpc: flagField({ env: 'BENTOTS_GRPC', initial: true }),
  grpcPort: portField({ env: 'BENTOTS_GRPC_PORT', initial: 0 }),
};

import { parseDecimal } from '@bentots/config';
import { type Command, Option } from 'commander';

import { parseBind } from './parse-bind.js';

/**
 * Flags in groups, each said once for all commands. Flags have no defaults of their own and check nothing but their
 * form: `libs/config` knows defaults and limits, so that flags, variables and programs are treated alike.
 */

const number = (flags: string, text: string): Option => new Option(flags, text).argParser(parseDecimal);
const flag = (flags: string, text: string): Option => new Option(flags, text);
const numbers = (text: string): unknown => text.split(',').map(parseDecimal);
const collect = (entry: string, before: readonly string[] = []): string[] => [...before, entry];

function addGroup(command: Command, title: string, options: readonly Option[]): void {
  command.optionsGroup(title);
  for (const option of options) command.addOption(option);
}

/** Where to listen. `defaultPort` is for the help only. */
export function addAddressFlags(command: Command, defaultPort: string, withBind: boolean): void {
  const bind = flag('--bind <tcp://host:port>', 'deprecated: use --host and --port')
    .argParser(parseBind)
    .conflicts(['host', 'port']);
  addGroup(command, 'Address:', [
    number('--port <port>', `port to listen on, 0 for a free one (default: ${defaultPort}) [BENTOTS_PORT]`),
    flag('--host <host>', 'address to listen on (default: 127.0.0.1) [BENTOTS_HOST]'),
    number('--backlog <n>', 'connections that may wait to be accepted (default: 2048) [BENTOTS_BACKLOG]'),
    ...(withBind ? [bind] : []),
  ]);
}

/** Where the service is. */
export function addServiceFlags(command: Command): void {
  command.argument('[BENTO]', 'module:attribute, file or project directory (default: ".") [BENTOTS_SERVICE]');
  addGroup(command, 'Service:', [
    flag(
      '--working-dir <dir>',
      'what BENTO is relative to (default: the current directory) [BENTOTS_WORKING_DIR]',
    ),
    flag(
      '--reload',
      'for development: a changed file of the service replaces the workers, the port stays; while it is broken the ' +
        'last good version serves on; one API worker unless told otherwise [BENTOTS_RELOAD]',
    ),
  ]);
}

/** Which runner to serve. */
export function addRunnerNameFlag(command: Command): void {
  command.addOption(
    flag('--runner-name <name>', 'runner of the service to serve; required [BENTOTS_SERVE_RUNNER_NAME]'),
  );
}

/** Where the runners are. */
export function addRunnerMapFlags(command: Command): void {
  addGroup(command, 'Runners:', [
    flag(
      '--remote-runner <name=url>',
      'address of a runner, as matmul=tcp://127.0.0.1:4001, tcps:// for TLS, or unix:///path; repeat it for more runners, ' +
        'separate replicas of one by commas [BENTOTS_SERVE_REMOTE_RUNNER]',
    ).argParser(collect),
    flag(
      '--runner-map <map>',
      'all addresses at once: JSON {"name":"tcp://host:port"}, name=url entries, or a file with either ' +
        '(its path, or @path) [BENTOTS_SERVE_RUNNER_MAP]',
    ).conflicts('remoteRunner'),
  ]);
}

/** TLS towards runners. */
export function addRunnerTlsFlags(command: Command): void {
  addGroup(command, 'TLS to runners (tcps://):', [
    flag(
      '--runner-ssl-ca-certs <file>',
      "whom runners' certificates are checked against (PEM; default: public authorities) [BENTOTS_RUNNER_SSL_CA_CERTS]",
    ),
    flag(
      '--runner-ssl-certfile <file>',
      'certificate for runners that want one (PEM) [BENTOTS_RUNNER_SSL_CERTFILE]',
    ),
    flag('--runner-ssl-keyfile <file>', 'its key (PEM) [BENTOTS_RUNNER_SSL_KEYFILE]'),
    flag(
      '--runner-ssl-keyfile-password <password>',
      'password of the key; prefer [BENTOTS_RUNNER_SSL_KEYFILE_PASSWORD]',
    ),
    flag(
      '--runner-ssl-server-name <name>',
      "name that runners' certificates must have (default: the host in the map) [BENTOTS_RUNNER_SSL_SERVER_NAME]",
    ),
  ]);
}

/** How many processes, and how long things may take. */
export function addLimitFlags(command: Command, kind: 'runner' | 'edge' | 'http'): void {
  const timeout = kind === 'runner' ? "the runner's own" : '60';
  const workers = number(
    '--api-workers <n>',
    'worker processes of each API server (default: the CPUs that may be used) [BENTOTS_API_WORKERS]',
  );
  addGroup(command, 'Workers and limits:', [
    ...(kind === 'runner' ? [] : [workers]),
    number('--timeout <s>', `seconds a request may take (default: ${timeout}) [BENTOTS_TIMEOUT]`),
    number(
      '--timeout-graceful-shutdown <s>',
      'seconds for requests in flight when stopping (default: 30) [BENTOTS_TIMEOUT_GRACEFUL_SHUTDOWN]',
    ),
    number(
      '--timeout-lame-duck <s>',
      'seconds between SIGTERM and the stop, in which readiness says no and all is served (default: 0) ' +
        '[BENTOTS_TIMEOUT_LAME_DUCK]',
    ),
    flag(
      '--on-crash-loop <word>',
      'stop: end with exit code 8; keep: try on, not ready (default: stop in a container, else keep) ' +
        '[BENTOTS_ON_CRASH_LOOP]',
    ),
    number(
      '--max-requests <n>',
      'replace a worker after so many, up to a tenth less at random (default: no limit) [BENTOTS_MAX_REQUESTS]',
    ),
    number(
      '--max-worker-age <s>',
      'replace a worker after so many seconds, up to a tenth less (default: no limit) [BENTOTS_MAX_WORKER_AGE]',
    ),
    number(
      '--max-worker-memory <MiB>',
      'replace a worker that holds more memory (default: no limit) [BENTOTS_MAX_WORKER_MEMORY]',
    ),
    number(
      '--max-workers <n>',
      'under load start up to so many workers of each kind (default: no scaling) [BENTOTS_MAX_WORKERS]',
    ),
    ...(kind === 'http' ? createHttpLimits() : []),
  ]);
}

function createHttpLimits(): Option[] {
  return [
    number(
      '--timeout-keep-alive <s>',
      'seconds an idle connection is kept (default: 5) [BENTOTS_TIMEOUT_KEEP_ALIVE]',
    ),
    number('--max-body-bytes <n>', 'largest request body (default: 104857600) [BENTOTS_MAX_BODY_BYTES]'),
    number(
      '--max-concurrency <n>',
      'API calls in flight per worker before the next gets 429 (default: no limit) [BENTOTS_MAX_CONCURRENCY]',
    ),
    flag(
      '--cors-origin <origin>',
      "web origin whose pages may call, as https://app.example, or '*'; repeat it for more (default: none) " +
        '[BENTOTS_CORS_ORIGINS]',
    ).argParser(collect),
  ];
}

/** TLS; `fine` adds the settings that the gRPC server has not. */
export function addTlsFlags(command: Command, fine: boolean): void {
  const more = [
    flag('--ssl-keyfile-password <password>', 'password of the key; prefer [BENTOTS_SSL_KEYFILE_PASSWORD]'),
    flag('--ssl-version <version>', 'lowest version: TLSv1.2 or TLSv1.3 [BENTOTS_SSL_VERSION]'),
    flag('--ssl-cert-reqs <word>', 'client certificates: none, optional or required [BENTOTS_SSL_CERT_REQS]'),
    flag('--ssl-ciphers <list>', "cipher list in OpenSSL's form [BENTOTS_SSL_CIPHERS]"),
  ];
  addGroup(command, 'TLS:', [
    flag('--ssl-certfile <file>', 'certificate (PEM); turns TLS on [BENTOTS_SSL_CERTFILE]'),
    flag('--ssl-keyfile <file>', 'its key (PEM) [BENTOTS_SSL_KEYFILE]'),
    flag(
      '--ssl-ca-certs <file>',
      'whom client certificates are checked against (PEM) [BENTOTS_SSL_CA_CERTS]',
    ),
    ...(fine ? more : []),
  ]);
}

/** What only gRPC has. */
export function addGrpcFlags(command: Command): void {
  addGroup(command, 'gRPC:', [
    flag('--enable-reflection', 'serve the reflection API, v1 and v1alpha [BENTOTS_GRPC_REFLECTION]'),
    flag('--enable-channelz', 'serve channelz [BENTOTS_GRPC_CHANNELZ]'),
    number(
      '--max-concurrent-streams <n>',
      'streams per connection (default: no limit) [BENTOTS_GRPC_MAX_CONCURRENT_STREAMS]',
    ),
    number(
      '--max-concurrent-rpcs <n>',
      'calls in flight per worker (default: no limit) [BENTOTS_GRPC_MAX_CONCURRENT_RPCS]',
    ),
    number(
      '--max-message-bytes <n>',
      'largest message (default: 104857600) [BENTOTS_GRPC_MAX_MESSAGE_BYTES]',
    ),
    flag('--protocol-version <v>', '(also -pv) v1 or v1alpha1 [BENTOTS_GRPC_PROTOCOL_VERSION]'),
  ]);
}

/** What is counted; `withPort` for servers whose metrics are on a port of their own. */
export function addMetricsFlags(command: Command, withPort: string | undefined): void {
  const port = [
    number('--metrics-port <port>', `port of the gRPC metrics (default: ${withPort}) [BENTOTS_METRICS_PORT]`),
    flag('--metrics-host <host>', 'address of that port (default: as --host) [BENTOTS_METRICS_HOST]'),
  ];
  addGroup(command, 'Metrics:', [
    flag('--no-metrics', 'keep and serve none [BENTOTS_METRICS=false]'),
    flag(
      '--metrics-buckets <list>',
      'bounds of the duration histograms, as 0.1,1,10 [BENTOTS_METRICS_BUCKETS]',
    ).argParser(numbers),
    ...(withPort === undefined ? [] : port),
  ]);
}

/** How a running server is asked and steered. */
export function addControlFlags(command: Command): void {
  addGroup(command, 'Control:', [
    flag(
      '--control-socket <path>',
      "file of the control socket, or 'off' (default: where `bentots ctl` looks) [BENTOTS_CONTROL_SOCKET]",
    ),
  ]);
}

/** What the command itself says and does. */
export function addCommonFlags(command: Command): void {
  addGroup(command, 'Output:', [
    flag('-q, --quiet', 'log errors only').conflicts(['verbose', 'logLevel']),
    flag('--verbose', 'log everything, and print the stack of an error').conflicts('logLevel'),
    flag('--log-level <level>', 'debug, info, warn, error or silent (default: info) [BENTOTS_LOG_LEVEL]'),
    flag('--log-format <form>', 'text, or json for one object a line [BENTOTS_LOG_FORMAT]'),
    flag('--no-access-log', 'no line for each request [BENTOTS_ACCESS_LOG=false]'),
    flag('--dry-run', 'check everything, print the plan as JSON, start nothing'),
  ]);
}

import { expandPlaceholders } from './placeholders.js';
import type { OutputConfig, SocketConfig, WatcherConfig } from './plan.js';
import type { Variables } from './process/inherited-environment.js';

/** First descriptor of a socket in an entry; before it: standard streams, the IPC channel, the lifeline. */
const FIRST_NODE_FD = 5;
/** The same in a command, where sd_listen_fds(3) looks. */
const FIRST_COMMAND_FD = 3;

/** Which process texts are filled in for. */
export interface ProcessNumber {
  readonly workerId: number;
  readonly generation: number;
}

/** The texts of a watcher as one of its processes gets them. */
export interface FilledTexts {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to what is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly output: OutputConfig;
}

/** The descriptors of the shared sockets in a worker, by name; `sockets` are the watcher's, in the plan's order. */
export function assignDescriptors(
  { program }: Pick<WatcherConfig, 'program'>,
  sockets: readonly Pick<SocketConfig, 'name' | 'accept'>[],
): ReadonlyMap<string, number> {
  const first = program.kind === 'node' ? FIRST_NODE_FD : FIRST_COMMAND_FD;
  const shared = sockets.filter((socket) => socket.accept === 'shared');
  return new Map(shared.map(({ name }, index) => [name, first + index]));
}

/** Replaces placeholders by what they are for one process. Throws `invalid_option` for one that is unknown. */
export function fillIn(
  config: WatcherConfig,
  sockets: readonly Pick<SocketConfig, 'name' | 'accept'>[],
  inherited: Variables,
  { workerId, generation }: ProcessNumber,
): FilledTexts {
  const where = `watcher '${config.name}'`;
  const descriptors = assignDescriptors(config, sockets);
  const notifyFd = findNotifyFd(config, descriptors);
  const facts = new Map([
    ['worker.id', String(workerId)],
    ['worker.generation', String(generation)],
    ...[...descriptors].map(([name, fd]): [string, string] => [`socket.${name}`, String(fd)]),
    ...(notifyFd === undefined ? [] : [['notify.fd', String(notifyFd)] as const]),
  ]);
  const own = config.perWorkerEnv[(workerId - 1) % Math.max(1, config.perWorkerEnv.length)];
  const fillEnv = ([name, value]: [string, string]): [string, string] => [
    name,
    expandPlaceholders(value, { facts, env: inherited }, `${where}: variable ${name}`),
  ];
  const env = {
    ...(config.program.kind === 'command' ? describeDescriptors(descriptors, notifyFd) : {}),
    ...Object.fromEntries(Object.entries({ ...config.env, ...own }).map(fillEnv)),
  };
  const fill = (text: string, field: string): string =>
    expandPlaceholders(text, { facts, env: { ...inherited, ...env } }, `${where}: ${field}`);
  const { program, args, output } = config;
  return {
    command: program.kind === 'node' ? program.entry : fill(program.command, 'command'),
    args: args.map((arg) => fill(arg, `argument '${arg}'`)),
    env,
    output: typeof output === 'object' ? { ...output, file: fill(output.file, 'output file') } : output,
  };
}

/** After the sockets, where nothing is in its way. */
function findNotifyFd(
  { program }: WatcherConfig,
  descriptors: ReadonlyMap<string, number>,
): number | undefined {
  const isNotified = program.kind === 'command' && program.readiness === 'fd';
  return isNotified ? FIRST_COMMAND_FD + descriptors.size : undefined;
}

/** What sd_listen_fds(3) reads, but LISTEN_PID: only the process itself knows that. */
function describeDescriptors(
  descriptors: ReadonlyMap<string, number>,
  notifyFd: number | undefined,
): Record<string, string> {
  // A colon parts the names.
  const names = [...descriptors.keys()].map((name) => name.replaceAll(':', '-')).join(':');
  return {
    ...(descriptors.size === 0 ? {} : { LISTEN_FDS: String(descriptors.size), LISTEN_FDNAMES: names }),
    ...(notifyFd === undefined ? {} : { NOTIFY_FD: String(notifyFd) }),
  };
}

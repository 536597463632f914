import { isAbsolute } from 'node:path';
import { ServeError } from '@bentots/errors';
import { checkInteger } from './check-integer.js';
import { checkId } from './compile-socket.js';
import { fillIn } from './fill-in.js';
import type {
  OutputConfig,
  OutputSpec,
  ProgramConfig,
  SocketConfig,
  WatcherConfig,
  WatcherSpec,
} from './plan.js';
import type { Variables } from './process/inherited-environment.js';
import { compileRecycle } from './recycle.js';
import { compileScaling } from './scaling.js';
import { compileRestartPolicy } from './restart-policy.js';
import { constants } from 'node:os';

/** The most workers that a watcher may have. */
export const MAX_PROCESSES = 1024;

/** Checks one watcher and fills in its defaults. Throws `invalid_option` that names the watcher and the field. */
export function compileWatcher(
  spec: WatcherSpec,
  planned: readonly SocketConfig[],
  environment: Variables,
): WatcherConfig {
  const where = `watcher '${spec.name}'`;
  const numProcesses = checkInteger(spec.numProcesses, 1, MAX_PROCESSES, `${where}: numProcesses`);
  if (spec.singleton === true && numProcesses !== 1) {
    throw invalid(`${where} is a singleton: numProcesses is ${numProcesses}, it must be 1`);
  }
  const program = compileProgram(spec, where);
  const sockets = checkSockets(spec, program, planned, where);
  const limitMs = (value: number, field: string) => checkInteger(value, 0, 2 ** 31 - 1, `${where}: ${field}`);
  const isCommand = program.kind === 'command';
  const config: WatcherConfig = {
    name: spec.name,
    program,
    args: spec.args ?? [],
    numProcesses,
    sockets: spec.sockets ?? [],
    env: spec.env ?? {},
    perWorkerEnv: spec.perWorkerEnv ?? [],
    cwd: spec.cwd,
    uid: spec.uid === undefined ? undefined : checkId(spec.uid, `${where}: uid`),
    gid: spec.gid === undefined ? undefined : checkId(spec.gid, `${where}: gid`),
    umask: spec.umask === undefined ? undefined : checkInteger(spec.umask, 0, 0o777, `${where}: umask`),
    stopSignal: checkSignal(spec.stopSignal, where) ?? (isCommand ? 'SIGTERM' : undefined),
    output: compileOutput(spec.output ?? 'inherit', where),
    data: spec.data ?? null,
    priority: spec.priority ?? 0,
    readyTimeoutMs: limitMs(spec.readyTimeoutMs ?? 60_000, 'readyTimeoutMs'),
    graceMs: limitMs(spec.graceMs ?? 30_000, 'graceMs'),
    heartbeatLimitMs: limitMs(spec.heartbeatLimitMs ?? (isCommand ? 0 : 60_000), 'heartbeatLimitMs'),
    singleton: spec.singleton ?? false,
    spare: spec.spare ?? false,
    recycle: compileRecycle(spec, where),
    scaling:
      spec.scaling &&
      compileScaling(
        spec.scaling,
        { numProcesses, singleton: spec.singleton ?? false, maxProcesses: MAX_PROCESSES },
        where,
      ),
    restart: compileRestartPolicy(spec.restart ?? {}, where),
  };
  checkTexts(config, sockets, environment);
  return config;
}

/** What needs the channel, over which a worker is told and tells. */
const ENTRY_FIELDS = [
  ...(['nodeArgs', 'data', 'heartbeatLimitMs', 'spare'] as const),
  ...(['maxRequests', 'maxRssBytes', 'scaling'] as const),
];

function compileProgram(spec: WatcherSpec, where: string): ProgramConfig {
  const { entry, command, readiness } = spec;
  if (entry !== undefined && command === undefined) {
    if (!isAbsolute(entry)) throw invalid(`${where}: entry '${entry}' must be an absolute path`);
    if (readiness !== undefined && readiness !== 'ipc') {
      const hint = 'run node as a command for another';
      throw invalid(
        `${where}: readiness is '${readiness}'; an entry says that it is ready by 'ipc'; ${hint}`,
      );
    }
    return { kind: 'node', entry, nodeArgs: spec.nodeArgs ?? [] };
  }
  if (command === undefined || entry !== undefined) {
    throw invalid(
      `${where} has ${entry === undefined ? 'no' : 'an'} entry and ${command === undefined ? 'no' : 'a'} command; give one of them`,
    );
  }
  if (command === '') throw invalid(`${where}: command is empty; expected a program`);
  if (readiness === 'ipc') {
    throw invalid(`${where}: readiness is 'ipc'; a command says that it is ready by 'fd', or has 'none'`);
  }
  const field = ENTRY_FIELDS.find((name) => ![undefined, 0, false].some((none) => none === spec[name]));
  if (field !== undefined) {
    throw invalid(`${where} has ${field}, which only an entry has; it runs the command '${command}'`);
  }
  return { kind: 'command', command, readiness: readiness ?? 'none' };
}

/** The configs of the watcher's sockets, in the plan's order. */
function checkSockets(
  spec: WatcherSpec,
  program: ProgramConfig,
  planned: readonly SocketConfig[],
  where: string,
): readonly SocketConfig[] {
  const names = spec.sockets ?? [];
  const unknown = names.find((name) => !planned.some((socket) => socket.name === name));
  if (unknown !== undefined) {
    const available = planned.map((socket) => socket.name).join(', ') || 'none';
    throw invalid(`${where}: no socket is named '${unknown}'; the plan has: ${available}`);
  }
  const sockets = planned.filter((socket) => names.includes(socket.name));
  const balanced = sockets.find((socket) => socket.accept === 'balanced');
  if (program.kind === 'command' && balanced !== undefined) {
    const why = 'a command can only accept by itself';
    throw invalid(`${where}: socket '${balanced.name}' is balanced; ${why}: make the socket shared`);
  }
  return sockets;
}

function checkSignal(signal: string | undefined, where: string): NodeJS.Signals | undefined {
  if (signal === undefined) return undefined;
  const known = Object.keys(constants.signals).find((name): name is NodeJS.Signals => name === signal);
  if (known !== undefined) return known;
  throw invalid(
    `${where}: stopSignal is '${signal}'; expected the name of a signal, such as SIGTERM or SIGINT`,
  );
}

function compileOutput(spec: OutputSpec, where: string): OutputConfig {
  if (typeof spec !== 'object') return spec;
  const { file, maxBytes = 10 * 2 ** 20, maxFiles = 5 } = spec;
  if (!isAbsolute(file)) throw invalid(`${where}: output file '${file}' must be an absolute path`);
  return {
    file,
    maxBytes: checkInteger(maxBytes, 1024, Number.MAX_SAFE_INTEGER, `${where}: output.maxBytes`),
    maxFiles: checkInteger(maxFiles, 1, 1000, `${where}: output.maxFiles`),
  };
}

/** Every text that a worker may get is filled in once, so that a wrong placeholder is found here and not at a restart. */
function checkTexts(config: WatcherConfig, sockets: readonly SocketConfig[], environment: Variables): void {
  const kinds = Math.max(1, config.perWorkerEnv.length);
  for (let workerId = 1; workerId <= kinds; workerId += 1) {
    fillIn(config, sockets, environment, { workerId, generation: 1 });
  }
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_option', message);
}

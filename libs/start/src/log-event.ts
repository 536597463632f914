import type { SupervisorEvent, WorkerRef } from '@bentots/supervisor';
import type { Logger } from '@bentots/telemetry';

type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * What happens in the tree, as one line each: what went wrong is loud, what is as planned is for debugging. The message is
 * for people; the fields hold the same facts for machines, named alike in both formats.
 */
export function logEvent(log: Logger, event: SupervisorEvent): void {
  const [level, message] = describeEvent(event);
  log[level](message, toFields(event));
}

/** An event in words, and how loud they are. */
export function describeEvent(event: SupervisorEvent): readonly [level: Level, message: string] {
  switch (event.type) {
    case 'tree':
      return ['debug', `tree is ${event.state}${event.reason === undefined ? '' : `: ${event.reason}`}`];
    case 'socket-bound':
      return ['debug', `socket ${event.socket.name} is bound`];
    case 'signal':
      return ['info', `${event.signal}: ${WISHES[event.effect]}`];
    case 'control':
      return ['info', `control socket: ${describeControl(event)}`];
    case 'worker-started':
      return ['debug', `${nameOf(event)} started`];
    case 'worker-ready':
      return ['debug', `${nameOf(event)} is ready after ${Math.round(event.tookMs)} ms`];
    case 'worker-draining':
      return ['debug', `${nameOf(event)} drains`];
    case 'worker-killed':
      return ['warn', `${nameOf(event)} is killed: ${event.reason}`];
    case 'worker-exited':
      return tellExit(event);
    case 'worker-restarting':
      return ['info', `${nameOf(event)} is replaced${event.delayMs > 0 ? ` in ${event.delayMs} ms` : ''}`];
    case 'num-processes':
      return ['info', `${event.watcher} has ${event.numProcesses} workers; there were ${event.previous}`];
    case 'crash-loop':
      return ['error', `${nameOf(event)} crashed ${event.crashes} times in ${event.windowMs / 1000} s`];
    case 'warning':
      return ['warn', event.message];
  }
}

const WISHES = {
  stop: 'requests in flight are finished, then the server stops',
  force: 'the server stops at once',
  reload: 'workers are replaced one by one',
  grow: 'one worker more',
  shrink: 'one worker less',
} as const;

function describeControl({ command, fields }: Extract<SupervisorEvent, { type: 'control' }>): string {
  return [command, ...Object.entries(fields).map(([name, value]) => `${name}=${String(value)}`)].join(' ');
}

function tellExit(event: Extract<SupervisorEvent, { type: 'worker-exited' }>): readonly [Level, string] {
  // Nothing is wrong with the worker, but somebody else has a hand in the tree.
  if (event.reason === 'left')
    return ['warn', `${nameOf(event)} left on a signal from outside: ${tellEnd(event)}`];
  const why = event.error === undefined ? '' : `: ${event.error.message}`;
  return [event.expected ? 'debug' : 'error', `${nameOf(event)} ${tellEnd(event)}${why}`];
}

function tellEnd({ code, signal, livedMs }: Extract<SupervisorEvent, { type: 'worker-exited' }>): string {
  if (signal !== null) return `ended by ${signal} after ${livedMs} ms`;
  return code === null ? 'could not be started' : `ended with exit code ${code} after ${livedMs} ms`;
}

function nameOf(worker: WorkerRef): string {
  const pid = worker.pid === undefined ? '' : ` (pid ${worker.pid})`;
  return `worker ${worker.workerId} of ${worker.watcher}${pid}`;
}

/** What the message says in full. */
const LEFT_OUT: ReadonlySet<string> = new Set(['type', 'message', 'info']);

/** Every fact of an event, flat: `livedMs` becomes `lived_ms`. What is not known is left out. */
function toFields(event: SupervisorEvent): Readonly<Record<string, unknown>> {
  const fields = Object.entries(event).flatMap(([name, value]) =>
    LEFT_OUT.has(name) || value === null || value === undefined ? [] : flatten(name, value),
  );
  return { event: event.type, ...Object.fromEntries(fields) };
}

function flatten(name: string, value: unknown): [string, unknown][] {
  if (name === 'workerId') return [['worker', value]];
  if (typeof value !== 'object' || value === null) return [[toSnake(name), value]];
  if (name === 'fields') return Object.entries(value).flatMap(([inner, one]) => flatten(inner, one));
  // Of a bound socket its name and address; of an error its code, as the message holds its words.
  if ('name' in value && 'address' in value) {
    return [
      ['socket', value.name],
      ['address', value.address],
    ];
  }
  return 'code' in value ? [['error_code', value.code]] : [];
}

function toSnake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

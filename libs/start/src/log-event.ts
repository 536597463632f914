import type { SupervisorEvent, WorkerRef } from '@bentots/supervisor';
import type { Logger } from '@bentots/telemetry';

/** What happens in the tree, as lines for operators: what went wrong is loud, what is as planned is for debugging. */
export function logEvent(log: Logger, event: SupervisorEvent): void {
  switch (event.type) {
    case 'tree':
      log.debug(`tree is ${event.state}${event.reason === undefined ? '' : `: ${event.reason}`}`);
      return;
    case 'socket-bound':
      log.debug(`socket ${event.socket.name} is bound`, { address: event.socket.address });
      return;
    case 'signal':
      log.info(`${event.signal}: ${WISHES[event.effect]}`);
      return;
    case 'worker-started':
      log.debug(`${nameOf(event)} started`);
      return;
    case 'worker-ready':
      log.debug(`${nameOf(event)} is ready after ${Math.round(event.tookMs)} ms`);
      return;
    case 'worker-draining':
      log.debug(`${nameOf(event)} drains`);
      return;
    case 'worker-killed':
      log.warn(`${nameOf(event)} is killed: ${event.reason}`);
      return;
    case 'worker-exited':
      logExit(log, event);
      return;
    case 'worker-restarting':
      log.info(`${nameOf(event)} is replaced${event.delayMs > 0 ? ` in ${event.delayMs} ms` : ''}`);
      return;
    case 'crash-loop':
      log.error(`${nameOf(event)} crashed ${event.crashes} times in ${event.windowMs / 1000} s`);
      return;
    case 'warning':
      log.warn(event.message);
      return;
  }
}

const WISHES = {
  stop: 'requests in flight are finished, then the server stops',
  force: 'the server stops at once',
  reload: 'workers are replaced one by one',
} as const;

function logExit(log: Logger, event: Extract<SupervisorEvent, { type: 'worker-exited' }>): void {
  const how = event.signal === null ? `with exit code ${event.code}` : `by ${event.signal}`;
  const why = event.error === undefined ? '' : `: ${event.error.message}`;
  const line = `${nameOf(event)} ended ${how}${why}`;
  if (event.expected) log.debug(line);
  else log.error(line);
}

function nameOf(worker: WorkerRef): string {
  return `worker ${worker.workerId} of ${worker.watcher} (pid ${worker.pid ?? 'none'})`;
}

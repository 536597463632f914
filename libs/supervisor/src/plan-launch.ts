import { assignDescriptors, fillIn } from './fill-in.js';
import type { TreeHealth, WorkerSocket } from './ipc.js';
import { inheritedEnvironment } from './process/inherited-environment.js';
import type { Launch } from './process/launch.js';
import type { Outputs } from './process/output-sinks.js';
import { rollLimits } from './recycle.js';
import type { Seat } from './slot-host.js';
import type { Listener } from './socket/listener.js';
import type { OwnedFile } from './socket/unix-path.js';

const HEARTBEAT_MS = 1000;
const SNAPSHOT_MS = 1000;

/** What all launches of a tree have in common. */
export interface LaunchHost {
  readonly treeName: string;
  readonly files: readonly OwnedFile[];
  readonly outputs: Outputs;
  /** What every worker is told about the tree. */
  readonly health: TreeHealth;
}

/** Everything that the process of a seat needs to start; `listeners` are those of its watcher. */
export function planLaunch(
  { workerId, generation, config }: Seat,
  listeners: readonly Listener[],
  host: LaunchHost,
): Launch {
  const limits = rollLimits(config.recycle, Math.random);
  const descriptors = assignDescriptors(config, listeners);
  const sockets = listeners.map(({ name, accept, backlog }): WorkerSocket => {
    const fd = descriptors.get(name);
    return { name, accept, backlog, ...(fd === undefined ? {} : { fd }) };
  });
  const { output, ...texts } = fillIn(config, listeners, inheritedEnvironment(), { workerId, generation });
  const { program, cwd, uid, gid, umask, stopSignal, readyTimeoutMs } = config;
  return {
    ...{ program, cwd, uid, gid, umask, stopSignal, readyTimeoutMs },
    ...texts,
    limits,
    fds: listeners.filter(({ name }) => descriptors.has(name)).map(({ fd }) => fd),
    files: host.files,
    health: () => host.health,
    output: host.outputs.open(output, `${config.name}.${workerId}`),
    init: {
      watcher: config.name,
      workerId,
      generation,
      title: `${host.treeName}: ${config.name} ${workerId}`,
      data: config.data,
      sockets,
      heartbeatMs: HEARTBEAT_MS,
      maxRequests: Number.isFinite(limits.maxRequests) ? limits.maxRequests : null,
      snapshotMs: SNAPSHOT_MS,
    },
  };
}

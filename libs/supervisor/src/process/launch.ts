import type { TreeHealth, WorkerInit } from '../ipc.js';
import type { ProgramConfig } from '../plan.js';
import type { RecycleLimits } from '../recycle.js';
import type { OwnedFile } from '../socket/unix-path.js';
import type { OutputSinks } from './output-sinks.js';

/** Everything that one process needs to start. */
export interface Launch {
  readonly program: ProgramConfig;
  /** The entry, or the command with its placeholders filled in. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to what is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly umask: number | undefined;
  readonly stopSignal: NodeJS.Signals | undefined;
  readonly readyTimeoutMs: number;
  /** When it is replaced though it is well. */
  readonly limits: RecycleLimits;
  /** Descriptors of the shared sockets, which it inherits. */
  readonly fds: readonly number[];
  /** Unix socket files that are removed if it outlives the arbiter. */
  readonly files: readonly OwnedFile[];
  /** Where its output goes; undefined: where the arbiter's goes. */
  readonly output: OutputSinks | undefined;
  readonly init: WorkerInit;
  /** What the worker is told about its tree when it attaches. */
  health(): TreeHealth;
}

/** Whether what cannot be changed after the spawn is the same. */
export function isSpawnedAlike(one: Launch, other: Launch): boolean {
  const fixed = ({ program, command, args, env, cwd, uid, gid, umask, fds, files }: Launch): string =>
    JSON.stringify([program, command, args, env, cwd, uid, gid, umask, fds, files]);
  return fixed(one) === fixed(other) && one.output?.stdout === other.output?.stdout;
}

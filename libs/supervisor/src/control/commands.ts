import { ServeError } from '@bentots/errors';
import type { SupervisorEvent } from '../events.js';
import type { TreeStatus } from '../status.js';
import {
  type CommandName,
  CONTROL_LIMITS,
  type ControlResults,
  type TreeStats,
  type WatcherEntry,
} from './protocol.js';
import { CommandArguments, type ControlRequest } from './request.js';

/** What is steered: an arbiter, seen from its control socket. */
export interface ControlledTree {
  status(): TreeStatus;
  reload(watcher?: string): Promise<void>;
  restart(watcher?: string, workerId?: number): Promise<void>;
  setNumProcesses(watcher: string, count: number): Promise<number>;
  changeNumProcesses(watcher: string, by: number): Promise<number>;
  signal(signal: NodeJS.Signals, watcher?: string, workerId?: number): number;
  stop(): Promise<void>;
  force(): void;
  emit(event: SupervisorEvent): void;
  subscribe(listener: (event: SupervisorEvent) => void): () => void;
}

/** What a command may do with the connection it came by. */
export interface CommandConnection {
  /** The last events; with `follow`, the connection is told all that come. */
  events(last: number, follow: boolean): ControlResults['events'];
  /** Ends the connection after the answer. */
  quit(): void;
}

type Run<K extends CommandName> = (
  args: CommandArguments,
  connection: CommandConnection,
) => ControlResults[K] | Promise<ControlResults[K]>;

type CommandTable = {
  readonly [K in CommandName]: {
    readonly takes: readonly string[];
    /** Whether the tree is another one afterwards: then it is told as an event, for whoever asks who did that. */
    readonly changes?: true;
    readonly run: Run<K>;
  };
};

const MAX_PROCESSES = 1024;

/** Everything that can be asked of a tree by its control socket. */
export class Commands {
  readonly #table: CommandTable;

  constructor(private readonly tree: ControlledTree) {
    this.#table = {
      status: { takes: [], run: () => tree.status() },
      list: { takes: [], run: () => ({ watchers: tree.status().watchers.map(toEntry) }) },
      stats: { takes: [], run: () => toStats(tree.status()) },
      restart: {
        takes: ['watcher', 'worker'],
        changes: true,
        run: async (args) => {
          await tree.restart(args.optionalText('watcher'), workerOf(args));
          return {};
        },
      },
      reload: {
        takes: ['watcher'],
        changes: true,
        run: async (args) => {
          await tree.reload(args.optionalText('watcher'));
          return {};
        },
      },
      incr: { takes: ['watcher', 'count'], changes: true, run: (args) => this.#grow(args, 1) },
      decr: { takes: ['watcher', 'count'], changes: true, run: (args) => this.#grow(args, -1) },
      set: {
        takes: ['watcher', 'numProcesses'],
        changes: true,
        run: async (args) => {
          const count = args.integer('numProcesses', 1, MAX_PROCESSES);
          return { numProcesses: await tree.setNumProcesses(args.text('watcher'), count) };
        },
      },
      signal: {
        takes: ['signal', 'watcher', 'worker'],
        changes: true,
        run: (args) => ({
          signalled: tree.signal(args.signal('signal'), args.optionalText('watcher'), workerOf(args)),
        }),
      },
      stop: { takes: ['force'], changes: true, run: (args) => this.#stop(args.flag('force')) },
      events: {
        takes: ['last', 'follow'],
        run: (args, connection) => {
          const last = args.optionalInteger('last', 0, CONTROL_LIMITS.keptEvents) ?? 0;
          return connection.events(last, args.flag('follow'));
        },
      },
      quit: {
        takes: [],
        run: (_, connection) => {
          connection.quit();
          return {};
        },
      },
    };
  }

  /**
   * The answer, or a promise of it. Throws `not_found` for an unknown command, `invalid_argument` for a wrong argument,
   * else what the tree says.
   */
  run({ command, fields }: ControlRequest, connection: CommandConnection): unknown {
    if (!this.#isCommand(command)) {
      const names = Object.keys(this.#table).join(', ');
      throw new ServeError('not_found', `there is no command '${command}'; commands are: ${names}`);
    }
    const { takes, changes, run } = this.#table[command];
    const args = new CommandArguments(command, fields, takes);
    if (changes) this.tree.emit({ type: 'control', command, fields: Object.fromEntries(fields) });
    return run(args, connection);
  }

  #isCommand(name: string): name is CommandName {
    return Object.hasOwn(this.#table, name);
  }

  async #grow(args: CommandArguments, sign: 1 | -1): Promise<{ numProcesses: number }> {
    const by = sign * (args.optionalInteger('count', 1, MAX_PROCESSES) ?? 1);
    return { numProcesses: await this.tree.changeNumProcesses(args.text('watcher'), by) };
  }

  /** Answered at once; that the tree is gone is told by the end of the connection. */
  #stop(force: boolean): object {
    if (force) this.tree.force();
    else void this.tree.stop();
    return {};
  }
}

function workerOf(args: CommandArguments): number | undefined {
  const worker = args.optionalInteger('worker', 1, MAX_PROCESSES);
  if (worker !== undefined) args.text('watcher'); // a worker's number means nothing without its watcher
  return worker;
}

function toEntry({ name, state, numProcesses, workers }: TreeStatus['watchers'][number]): WatcherEntry {
  const ready = workers.filter((worker) => worker.state === 'ready').length;
  return { name, state, numProcesses, ready, pids: workers.flatMap(({ pid }) => pid ?? []) };
}

function toStats({ sockets: _, watchers, ...tree }: TreeStatus): TreeStats {
  const workers = watchers.flatMap(({ name, workers }) =>
    workers.map((worker) => ({ watcher: name, ...worker })),
  );
  const arbiter = {
    uptimeMs: Math.round(process.uptime() * 1000),
    rssBytes: process.memoryUsage.rss(),
  };
  return { ...tree, arbiter, workers };
}

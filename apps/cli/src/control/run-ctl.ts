import { readEnvironment } from '@bentots/config';
import { exitWithError } from '@bentots/start';
import { type CommandName, type ControlArguments, TreeClient } from '@bentots/supervisor/control';
import type { Command } from 'commander';

import { formatHelpHint } from '../help-text.js';
import { formatEvent, formatStats, formatStatus, formatTrees, formatWatchers } from './format-tree.js';
import { lookForTrees, pickSocket } from './pick-tree.js';

/** A question that is not answered within this time will not be. A change takes as long as it takes. */
const ANSWER_LIMIT_MS = 10_000;

interface Globals {
  readonly tree?: string;
  readonly json?: boolean;
}

/** One run of the command: the connection, and how to print. */
interface Talk extends Globals {
  readonly client: TreeClient;
  /** As JSON if that was asked for, else in words. */
  print<T>(value: T, inWords: (value: T) => string): void;
}

/** What each subcommand does; commander calls them with their arguments, options and itself. */
export const ctl = {
  async trees(_: unknown, command: Command): Promise<void> {
    await orExit(command, async () => {
      const trees = await lookForTrees(readEnvironment());
      printer(command)(trees, (all) => (all.length === 0 ? 'no server is running' : formatTrees(all)));
    });
  },

  async status(_: unknown, command: Command): Promise<void> {
    await talk(command, async ({ client, print }) =>
      print(await client.request('status', {}, ANSWER_LIMIT_MS), formatStatus),
    );
  },

  async list(_: unknown, command: Command): Promise<void> {
    await talk(command, async ({ client, print }) =>
      print(await client.request('list', {}, ANSWER_LIMIT_MS), ({ watchers }) => formatWatchers(watchers)),
    );
  },

  async stats(_: unknown, command: Command): Promise<void> {
    await talk(command, async ({ client, print }) =>
      print(await client.request('stats', {}, ANSWER_LIMIT_MS), formatStats),
    );
  },

  async events(
    { last, follow }: { readonly last: number; readonly follow: boolean },
    command: Command,
  ): Promise<void> {
    await talk(command, async ({ client, json }) => {
      const write = (text: string): void => void process.stdout.write(`${text}\n`);
      const tell = json ? (event: object) => write(JSON.stringify(event)) : formatTo(write);
      if (follow) {
        await client.follow(last, tell);
        await client.closed;
      } else {
        const { events } = await client.request('events', { last }, ANSWER_LIMIT_MS);
        events.forEach(tell);
      }
    });
  },

  async reload(watcher: string | undefined, _: unknown, command: Command): Promise<void> {
    await change(command, 'reload', given({ watcher }), () => {
      return `every worker${watcher === undefined ? '' : ` of ${watcher}`} was replaced`;
    });
  },

  async restart(
    watcher: string | undefined,
    worker: number | undefined,
    _: unknown,
    command: Command,
  ): Promise<void> {
    await change(command, 'restart', given({ watcher, worker }), () => 'restarted');
  },

  async incr(watcher: string, count: number | undefined, _: unknown, command: Command): Promise<void> {
    await change(command, 'incr', { watcher, ...given({ count }) }, tellCount(watcher));
  },

  async decr(watcher: string, count: number | undefined, _: unknown, command: Command): Promise<void> {
    await change(command, 'decr', { watcher, ...given({ count }) }, tellCount(watcher));
  },

  async set(watcher: string, numProcesses: number, _: unknown, command: Command): Promise<void> {
    await change(command, 'set', { watcher, numProcesses }, tellCount(watcher));
  },

  async signal(
    name: string,
    watcher: string | undefined,
    worker: number | undefined,
    _: unknown,
    command: Command,
  ): Promise<void> {
    const upper = name.toUpperCase();
    // The server knows which signals it has, and refuses the others.
    const signal = (upper.startsWith('SIG') ? upper : `SIG${upper}`) as NodeJS.Signals;
    const args = { signal, ...given({ watcher, worker }) };
    await change(command, 'signal', args, ({ signalled }) => `${signal} was sent to ${signalled} processes`);
  },

  async stop({ force = false }: { readonly force?: boolean }, command: Command): Promise<void> {
    await talk(command, async ({ client, print }) => {
      const { name, pid } = await client.request('status', {}, ANSWER_LIMIT_MS);
      await client.request('stop', force ? { force } : {}, ANSWER_LIMIT_MS);
      await client.closed;
      print({ name, pid }, () => `${name} (pid ${pid}) has stopped`);
    });
  },
};

/** Connects to the tree that is meant, and prints what fails. */
export async function talk(command: Command, use: (talk: Talk) => Promise<void>): Promise<void> {
  await orExit(command, async () => {
    const globals = command.optsWithGlobals<Globals>();
    const client = await TreeClient.connect(await pickSocket(globals.tree, readEnvironment()));
    await use({ ...globals, client, print: printer(command) }).finally(() => client.close());
  });
}

async function change<K extends CommandName>(
  command: Command,
  name: K,
  args: ControlArguments[K],
  inWords: (result: Awaited<ReturnType<typeof TreeClient.prototype.request<K>>>) => string,
): Promise<void> {
  await talk(command, async ({ client, print }) => print(await client.request(name, args), inWords));
}

async function orExit(command: Command, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const name = command.parent?.name() === 'ctl' ? `ctl ${command.name()}` : command.name();
    const hint = ({ code }: { code: string }) =>
      code === 'invalid_argument' ? formatHelpHint(name) : undefined;
    process.exitCode = exitWithError(error, { hint });
  }
}

function printer(command: Command): Talk['print'] {
  const { json } = command.optsWithGlobals<Globals>();
  return (value, inWords) => {
    process.stdout.write(`${json ? JSON.stringify(value, null, 2) : inWords(value)}\n`);
  };
}

function formatTo(write: (text: string) => void): (event: Parameters<typeof formatEvent>[0]) => void {
  return (event) => write(formatEvent(event));
}

function tellCount(watcher: string): (result: { readonly numProcesses: number }) => string {
  return ({ numProcesses }) => `${watcher} has ${numProcesses} workers`;
}

/** What was not said is left out: an absent argument and an undefined one are two things to the types. */
function given<T extends object>(args: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

import { setTimeout as sleep } from 'node:timers/promises';

import { parseDecimal } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import type { TimedEvent, TreeClient } from '@bentots/supervisor/control';
import { Command, Option } from 'commander';

import { formatExamples, TOP_EXAMPLES } from './control-help.js';
import { createTreeOption } from './ctl-command.js';
import { formatEvent, formatStats } from './format-tree.js';
import { talk } from './run-ctl.js';
import { Screen } from './screen.js';

const SHOWN_EVENTS = 8;
const ANSWER_LIMIT_MS = 10_000;

interface TopOptions {
  readonly once?: boolean;
  readonly interval: unknown;
}

/** `bentots top`: the workers of a running server, live. */
export function createTopCommand(): Command {
  return new Command('top')
    .description('Watch the workers of a running server: CPU, memory, event-loop lag, connections, restarts.')
    .addOption(createTreeOption())
    .addOption(
      new Option('--interval <s>', 'seconds from one look to the next').argParser(parseDecimal).default(1),
    )
    .option('--once', 'print one table, and end')
    .addHelpText('after', formatExamples(TOP_EXAMPLES))
    .action((options: TopOptions, command: Command) =>
      talk(command, ({ client }) => runTop(client, options)),
    );
}

async function runTop(client: TreeClient, { once = false, interval }: TopOptions): Promise<void> {
  if (once) {
    process.stdout.write(`${formatStats(await client.request('stats', {}, ANSWER_LIMIT_MS))}\n`);
    return;
  }
  if (typeof interval !== 'number' || interval < 0.1 || interval > 3600) {
    const message = `--interval is ${JSON.stringify(interval)}; expected seconds from 0.1 to 3600`;
    throw new ServeError('invalid_option', message);
  }
  if (!process.stdout.isTTY) {
    throw new ServeError('invalid_option', 'standard output is no terminal; print one table with --once');
  }
  const leaving = new AbortController();
  const stopListening = onLeave(() => leaving.abort());
  const screen = new Screen(process.stdout);
  try {
    await watch(client, screen, interval * 1000, leaving.signal);
  } finally {
    screen.close();
    stopListening();
  }
}

async function watch(
  client: TreeClient,
  screen: Screen,
  intervalMs: number,
  leaving: AbortSignal,
): Promise<void> {
  let events: readonly TimedEvent[] = [];
  await client.follow(SHOWN_EVENTS, (event) => (events = [...events, event].slice(-SHOWN_EVENTS)));
  while (!leaving.aborted) {
    const stats = await client.request('stats', {}, ANSWER_LIMIT_MS);
    screen.draw([...formatStats(stats).split('\n'), '', ...events.map(formatEvent)]);
    await sleep(intervalMs, undefined, { signal: leaving }).catch(() => undefined);
  }
}

/** Calls `leave` on `q`, Ctrl-C or a signal; returns what ends the listening. */
function onLeave(leave: () => void): () => void {
  const { stdin } = process;
  const onKey = (key: Buffer): void => {
    if (['q', 'Q', '\u0003', '\u0004'].includes(key.toString())) leave();
  };
  if (stdin.isTTY) stdin.setRawMode(true).on('data', onKey);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
  return () => {
    if (stdin.isTTY) stdin.setRawMode(false).off('data', onKey).pause();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, leave);
  };
}

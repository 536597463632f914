import type { PortDefaults } from '@bentots/config';
import type { ServeError } from '@bentots/errors';
import {
  dryRun,
  type EdgeStartExtras,
  exitWithError,
  type Prepare,
  runToExit,
  type ServerHandle,
} from '@bentots/start';
import type { Command } from 'commander';

import { formatHelpHint } from './help-text.js';
import { readFlags } from './read-flags.js';
import { WORKER_ENTRIES } from './worker-entries.js';

/** A start function and its dry form. */
export interface Launcher<O> {
  readonly start: (options: O & EdgeStartExtras) => ServerHandle;
  readonly prepare: (options: O & EdgeStartExtras) => Prepare;
  /** Ports when neither flag nor variable says one. @default free ones */
  readonly defaults?: PortDefaults;
}

/** Runs one command to its end: the server's, or that of the dry run. */
export async function runServer<O extends object>(command: Command, launcher: Launcher<O>): Promise<void> {
  const flags = readFlags<O>(command);
  if (flags.warning !== undefined) process.stderr.write(`warning: ${flags.warning}\n`);
  const options = { ...flags.options, workers: WORKER_ENTRIES, defaults: launcher.defaults };
  const speech = { verbose: flags.isVerbose, hint: (error: ServeError) => hintFor(command, error) };
  if (!flags.isDryRun) return runToExit(launcher.start(options), speech);
  try {
    const plan = await dryRun(launcher.prepare(options));
    process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`);
  } catch (error) {
    process.exitCode = exitWithError(error, speech);
  }
}

/** Where to read on, after a mistake in the options. */
function hintFor(command: Command, error: ServeError): string | undefined {
  const isAboutOptions = ['invalid_option', 'not_supported', 'runner_map_invalid'].includes(error.code);
  return isAboutOptions ? formatHelpHint(command.name()) : undefined;
}

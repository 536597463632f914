import type { Command } from 'commander';

import type { Bind } from './parse-bind.js';

/** What a command line says: the server's options, and what is for the command itself. */
export interface Flags<O> {
  readonly options: O;
  readonly isDryRun: boolean;
  readonly isVerbose: boolean;
  /** A deprecated flag was used: what to say about it. */
  readonly warning: string | undefined;
}

/** Flags whose option has another name. */
const OPTION_OF = new Map([
  ['enableReflection', 'reflection'],
  ['enableChannelz', 'channelz'],
  ['remoteRunner', 'runnerMap'],
  ['corsOrigin', 'corsOrigins'],
]);

/** Flags that are no options of a server. */
const OWN = new Set(['dryRun', 'verbose', 'quiet', 'bind']);

/**
 * The options that were really given on the command line. The rest stays undefined, so that variables and defaults get
 * their turn: commander's own defaults (`true` behind every `--no-…`) would hide them.
 */
export function readFlags<O extends object>(command: Command): Flags<O> {
  const given = Object.entries(command.opts()).filter(
    ([name]) => command.getOptionValueSource(name) === 'cli',
  );
  const flags = new Map<string, unknown>(given);
  const isVerbose = flags.has('verbose');
  const level = isVerbose ? 'debug' : flags.has('quiet') ? 'error' : undefined;
  const bind = flags.get('bind');
  const options = {
    ...Object.fromEntries(
      given.filter(([name]) => !OWN.has(name)).map(([k, v]) => [OPTION_OF.get(k) ?? k, v]),
    ),
    ...(level !== undefined && { logLevel: level }),
    ...(isBind(bind) && bind),
    ...(command.args[0] !== undefined && { bentoIdentifier: command.args[0] }),
  };
  return {
    // Checked option by option in libs/config, which refuses what does not fit.
    options: options as O,
    isDryRun: flags.has('dryRun'),
    isVerbose,
    warning: bind === undefined ? undefined : '--bind is deprecated; use --host and --port',
  };
}

function isBind(value: unknown): value is Bind {
  return typeof value === 'object' && value !== null && 'host' in value && 'port' in value;
}

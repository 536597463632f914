import { readFileSync } from 'node:fs';

import { ServeError } from '@bentots/errors';

import type { Environment } from './environment.js';
import type { RunnerMapOption } from './options.js';

const MAP_VARIABLE = 'BENTOTS_SERVE_RUNNER_MAP';
const RUNNER_VARIABLE = 'BENTOTS_SERVE_REMOTE_RUNNER';

/**
 * The runner map from the option, else from `BENTOTS_SERVE_RUNNER_MAP` or `BENTOTS_SERVE_REMOTE_RUNNER` (the same
 * grammar in all three), else empty. A text that names a file is replaced by what the file holds.
 * @throws ServeError invalid_option when both variables are set; runner_map_invalid when the file cannot be read
 */
export function readRunnerMap(
  option: RunnerMapOption | undefined,
  environment: Environment,
): RunnerMapOption {
  if (option !== undefined) return typeof option === 'string' ? readText(option) : option;
  const [fromMap, fromRunner] = [environment[MAP_VARIABLE], environment[RUNNER_VARIABLE]];
  if (fromMap && fromRunner) {
    throw new ServeError('invalid_option', `${MAP_VARIABLE} and ${RUNNER_VARIABLE} are both set; unset one`, {
      details: { option: 'runnerMap', env: MAP_VARIABLE },
    });
  }
  const text = fromMap || fromRunner;
  return text ? readText(text) : {};
}

/** JSON starts with a brace and an entry has an equals sign; only what has neither, or starts with @, is a file. */
function readText(text: string): string {
  const trimmed = text.trim();
  const path = trimmed.startsWith('@') ? trimmed.slice(1) : trimmed;
  const isInline = path === trimmed && (trimmed === '' || /^[{[]/.test(trimmed) || trimmed.includes('='));
  if (isInline) return text;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ServeError(
      'runner_map_invalid',
      `runner map ${JSON.stringify(text)} is neither name=tcp://host:port entries nor JSON, and no file: ${reason}`,
      { cause: error, details: { option: 'runnerMap' } },
    );
  }
}

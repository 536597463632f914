import { exitCodeOf, ServeError } from '@bentots/errors';

import type { ServerHandle } from './server-handle.js';

/** How {@link runToExit} speaks. */
export interface RunToExitOptions {
  /** Also print the stack and causes of an error. @default false */
  readonly verbose?: boolean | undefined;
  /** One more line for an error, saying what to do. */
  readonly hint?: ((error: ServeError) => string | undefined) | undefined;
}

/**
 * The end of a program that runs one server: waits for it, prints what went wrong as one `error: …` line on stderr, and
 * sets the process's exit code after the table in `docs/errors.md`. Never rejects.
 */
export async function runToExit(handle: ServerHandle, options: RunToExitOptions = {}): Promise<void> {
  try {
    const report = await handle;
    if (report.error !== undefined) printError(ServeError.from(report.error), options);
    process.exitCode = report.exitCode;
  } catch (error) {
    process.exitCode = exitWithError(error, options);
  }
}

/** Prints `error` as {@link runToExit} does and returns the exit code that says it. */
export function exitWithError(error: unknown, options: RunToExitOptions = {}): number {
  const known = ServeError.from(error);
  printError(known, options);
  return exitCodeOf(known.code);
}

function printError(error: ServeError, { verbose, hint }: RunToExitOptions): void {
  process.stderr.write(`error: ${wordsOf(error)}\n`);
  const more = hint?.(error);
  if (more !== undefined) process.stderr.write(`${more}\n`);
  if (verbose) process.stderr.write(`${describeCauses(error).join('\n')}\n`);
}

/** A command's user is the operator: what a client must not see, the operator must. */
function wordsOf(error: ServeError): string {
  if (error.code !== 'internal' || !(error.cause instanceof Error)) return error.message;
  return `${error.cause.name}: ${error.cause.message}`;
}

function describeCauses(error: ServeError): string[] {
  const stacks: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    stacks.push(cause.stack ?? String(cause));
  }
  return stacks;
}

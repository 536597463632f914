/** Environment variables as plain data, so that tests pass their own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A frozen copy of the process's environment variables.
 * The one place of the project that reads them; everything else gets the copy, or what was compiled from it.
 */
export function readEnvironment(): Environment {
  return Object.freeze({ ...process.env });
}

import { resolve } from 'node:path';
import type { SourcePlace } from './source-place.js';

/** What is wrong with a source file, and where. */
export interface SourceProblem {
  /** `unresolved`: an import of a file that is not there. `syntax`: everything else. */
  readonly kind: 'syntax' | 'unresolved';
  readonly text: string;
  readonly place: SourcePlace;
}

/**
 * Reads `file` and what it imports by path, without running it, for the first thing of `kind` that keeps it from being
 * compiled. Node itself does not say where the syntax error of an ES module is. Slow (the compiler is loaded for it):
 * only for modules that failed.
 */
export async function diagnoseSource(
  file: string,
  kind: SourceProblem['kind'],
  workingDir: string,
): Promise<SourceProblem | undefined> {
  const { build, stop } = await import('esbuild');
  const result = await build({
    entryPoints: [file],
    absWorkingDir: workingDir,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  }).then(
    () => [],
    (failure: unknown) => errorsOf(failure),
  );
  await stop();
  return result
    .map((error): SourceProblem | undefined => {
      if (error.location === null) return undefined;
      const { line, column, lineText } = error.location;
      // esbuild counts columns in bytes, from 0.
      const characters = Buffer.from(lineText).subarray(0, column).toString().length;
      const place = { file: resolve(workingDir, error.location.file), line, column: characters + 1 };
      return {
        kind: error.text.startsWith('Could not resolve') ? 'unresolved' : 'syntax',
        text: error.text,
        place,
      };
    })
    .find((problem) => problem?.kind === kind);
}

interface CompilerError {
  readonly text: string;
  readonly location: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly lineText: string;
  } | null;
}

function errorsOf(failure: unknown): readonly CompilerError[] {
  const isBuildFailure = (value: unknown): value is { errors: readonly CompilerError[] } =>
    value instanceof Error && 'errors' in value && Array.isArray(value.errors);
  return isBuildFailure(failure) ? failure.errors : [];
}

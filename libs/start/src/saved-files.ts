import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';

/**
 * The system may tell of one save several times: when the file is emptied, when it is written, when its times are set.
 * After this time it is somebody's wish again, though nothing is different (`touch`).
 */
const ECHO_MS = 1000;
/** Larger files are known by their size and time. */
const MAX_READ_BYTES = 4 * 2 ** 20;

/** Knows what files held when their change was last told, so that one save is one change. */
export class SavedFiles {
  readonly #told = new Map<string, { readonly content: string; readonly atMs: number }>();

  /** The paths whose files do not hold what they held when they were told a moment ago; they are told now. */
  pickNews(paths: readonly string[]): readonly string[] {
    const atMs = performance.now();
    return paths.filter((path) => {
      const content = describeContent(path);
      const last = this.#told.get(path);
      const isEcho = last !== undefined && last.content === content && atMs - last.atMs < ECHO_MS;
      if (!isEcho) this.#told.set(path, { content, atMs });
      return !isEcho;
    });
  }
}

/** Whether a file is empty: most likely its text is about to come. */
export function isEmptyFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === 0;
}

function describeContent(path: string): string {
  try {
    const { size, mtimeMs } = statSync(path);
    if (size > MAX_READ_BYTES) return `${size} ${mtimeMs}`;
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  } catch {
    return 'gone';
  }
}

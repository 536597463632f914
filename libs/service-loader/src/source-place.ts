import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInside } from './working-dir.js';

/** A place in a source file; line and column count from 1. */
export interface SourcePlace {
  /** Absolute. */
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

const FRAME = /\(?((?:file:\/\/)?\/[^():]+):(\d+):(\d+)\)?$/;
/** What Node puts before the stack of an error that it found while it compiled: file and line, the line, a mark. */
const ARROW = /^((?:file:\/\/)?\/[^\n:]+):(\d+)\n[^\n]*\n( *)\^/;

/** `service.ts:3:7`, seen from the working directory. */
export function formatPlace(place: SourcePlace, workingDir: string): string {
  const file = isInside(place.file, workingDir) ? relative(workingDir, place.file) : place.file;
  return [file, place.line, ...(place.column === undefined ? [] : [place.column])].join(':');
}

/** The first frame of a stack that is in the user's own code: below `workingDir`, outside `node_modules`. */
export function findUserFrame(stack: string, workingDir: string): SourcePlace | undefined {
  for (const line of stack.split('\n')) {
    const [, path, row, column] = FRAME.exec(line.trimEnd()) ?? [];
    if (path === undefined || !line.trimStart().startsWith('at ')) continue;
    const file = toPath(path);
    if (isInside(file, workingDir) && !file.includes('/node_modules/')) {
      return { file, line: Number(row), column: Number(column) };
    }
  }
  return undefined;
}

/** The place that Node names above the stack of an error of the compiler. */
export function findArrowPlace(stack: string): SourcePlace | undefined {
  const [, path, row, indent] = ARROW.exec(stack) ?? [];
  if (path === undefined || indent === undefined) return undefined;
  return { file: toPath(path), line: Number(row), column: indent.length + 1 };
}

/** The first line of `file` that holds `text` in quotes: where a package is imported, say. */
export async function findQuoted(file: string, text: string): Promise<SourcePlace | undefined> {
  const source = await readFile(file, 'utf8').catch(() => '');
  const index = source
    .split('\n')
    .findIndex((line) => line.includes(`'${text}'`) || line.includes(`"${text}"`));
  return index === -1 ? undefined : { file, line: index + 1 };
}

/**
 * The line of a place with its neighbour before it, and a mark below the column:
 * ```
 *   1 | const a = 1;
 * > 2 | export const b = ;
 *     |                  ^
 * ```
 * Empty when the file cannot be read or has no such line.
 */
export async function formatCodeFrame(place: SourcePlace): Promise<string> {
  const source = await readFile(place.file, 'utf8').catch(() => undefined);
  const lines = source?.split('\n') ?? [];
  const line = lines[place.line - 1];
  if (line === undefined || line.length > 300) return '';
  const width = String(place.line).length;
  const before = lines[place.line - 2];
  const mark =
    place.column === undefined ? [] : [`  ${' '.repeat(width)} | ${' '.repeat(place.column - 1)}^`];
  return [
    ...(before === undefined || before.length > 300
      ? []
      : [`  ${String(place.line - 1).padStart(width)} | ${before}`]),
    `> ${place.line} | ${line}`,
    ...mark,
  ].join('\n');
}

function toPath(pathOrUrl: string): string {
  return pathOrUrl.startsWith('file:') ? fileURLToPath(pathOrUrl) : pathOrUrl;
}

import { relative } from 'node:path';
import { inspect } from 'node:util';
import { ServeError } from '@bentots/errors';
import { diagnoseSource } from './diagnose-source.js';
import {
  type SourcePlace,
  findArrowPlace,
  findQuoted,
  findUserFrame,
  formatCodeFrame,
  formatPlace,
} from './source-place.js';

/** What is known about why a module cannot be loaded. */
interface Explanation {
  readonly reason: string;
  readonly place: SourcePlace | undefined;
}

/**
 * Turns whatever came out of importing `file` into a `service_broken` that says where in the user's code it happened,
 * with the line; the original is its cause. A rule of the library that the module broke (a bad name, say) keeps its
 * code `service_invalid`.
 */
export async function explainImportError(
  error: unknown,
  file: string,
  workingDir: string,
): Promise<ServeError> {
  const { reason, place } =
    (await explainSyntax(error, file, workingDir)) ??
    (await explainMissingImport(error, file, workingDir)) ??
    explainThrow(error, workingDir);
  const name = relative(workingDir, file);
  const at = place === undefined ? '' : ` at ${formatPlace(place, workingDir)}`;
  const frame = place === undefined ? '' : await formatCodeFrame(place);
  const code =
    error instanceof ServeError && error.code === 'service_invalid' ? error.code : 'service_broken';
  return new ServeError(code, `cannot load ${name}${at}: ${reason}${frame && `\n${frame}`}`, {
    details: {
      file: place?.file ?? file,
      ...(place && { line: place.line }),
      ...(place?.column && { column: place.column }),
    },
    cause: error,
  });
}

const TRANSFORM_FAILED = /^Transform failed[^\n]*\n(.+):(\d+):(\d+): ERROR: (.+)/;

/** A module that cannot be compiled or linked. JSON.parse throws the same class: only a place in the source tells. */
async function explainSyntax(
  error: unknown,
  file: string,
  workingDir: string,
): Promise<Explanation | undefined> {
  if (!(error instanceof Error)) return undefined;
  const [, failed, line, column, words] = TRANSFORM_FAILED.exec(error.message) ?? [];
  if (failed !== undefined && words !== undefined) {
    const reason = `syntax error: ${words}${hintFor(words)}`;
    return { reason, place: { file: failed, line: Number(line), column: Number(column) + 1 } };
  }
  if (error.name !== 'SyntaxError') return undefined;
  const problem = await diagnoseSource(file, 'syntax', workingDir);
  if (problem !== undefined) return { reason: `syntax error: ${problem.text}`, place: problem.place };
  const place = findArrowPlace(error.stack ?? '');
  return place && { reason: `syntax error: ${error.message}`, place };
}

function hintFor(message: string): string {
  return message.includes('Top-level await') && message.includes('"cjs"')
    ? `; add "type": "module" to package.json, or end the file's name in .mts`
    : '';
}

const MISSING_PACKAGE = /^Cannot find package '([^']+)' imported from (.+)$/;
const MISSING_REQUIRE = /^Cannot find module '([^'./][^']*)'\nRequire stack:\n- (.+)/;

/** An import of a file or package that is not there. */
async function explainMissingImport(
  error: unknown,
  file: string,
  workingDir: string,
): Promise<Explanation | undefined> {
  if (!(error instanceof Error && 'code' in error)) return undefined;
  if (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND') return undefined;
  const [, wanted, importer] =
    MISSING_PACKAGE.exec(error.message) ?? MISSING_REQUIRE.exec(error.message) ?? [];
  if (wanted !== undefined && importer !== undefined) {
    const reason = `cannot find package '${wanted}'; install it where the service can find it`;
    return { reason, place: await findQuoted(importer, wanted) };
  }
  const problem = await diagnoseSource(file, 'unresolved', workingDir);
  if (problem !== undefined) return { reason: lowerFirst(problem.text), place: problem.place };
  const [firstLine = error.message] = error.message.split('\n');
  return { reason: lowerFirst(firstLine), place: findUserFrame(error.stack ?? '', workingDir) };
}

/** Code that ran and threw. */
function explainThrow(error: unknown, workingDir: string): Explanation {
  if (!(error instanceof Error)) return { reason: `it throws ${inspect(error)} on import`, place: undefined };
  const place = findUserFrame(error.stack ?? '', workingDir);
  if (error instanceof ServeError) return { reason: error.message, place };
  const isTypeScript = error.message.startsWith('Unknown file extension ".ts"');
  const hint = isTypeScript ? '; only a service module that is TypeScript itself can import TypeScript' : '';
  return { reason: `it throws on import: ${error.name}: ${error.message}${hint}`, place };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

import { type ChildProcess, spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { type ErrorCode, ServeError } from '@bentots/errors';
import type { JsonValue } from './plan.js';
import { killGroup } from './process/kill-group.js';
import { inheritedEnvironment } from './process/inherited-environment.js';
import { preludeArgs } from './process/lifeline.js';
import { within } from './within.js';

/** How a short-lived child is run. */
export interface RunOnceOptions {
  /** The child is killed after this time. @default 60000 */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  /** Options of node itself, before the entry. */
  readonly nodeArgs?: readonly string[];
  /** Ends the child early; `runOnce` rejects with `cancelled`. */
  readonly signal?: AbortSignal;
  /** The code of the error when the child ends without an answer. @default 'worker_not_ready' */
  readonly failureCode?: ErrorCode;
}

/** The descriptor on which the child answers: one line of JSON, `{"ok": …}` or `{"error": …}`. */
const RESULT_FD = 3;
/** A child that has answered may take so long to end by itself. */
const EXIT_LIMIT_MS = 1000;
const KEPT_STDERR_CHARS = 4000;
const SHOWN_STDERR_LINES = 8;

/**
 * Runs `entry` in a process of its own with `task` as its first argument (JSON), and returns what it answers. For code
 * that must not run in the arbiter. All that the child prints goes to standard error. It dies with this process, and
 * nothing of it is left when this settles.
 *
 * Throws the error that the child answered; `failureCode` with its last words when it ended without an answer;
 * `deadline_exceeded` when it took too long; `cancelled` when the signal said so.
 */
export async function runOnce(
  entry: string,
  task: JsonValue,
  options: RunOnceOptions = {},
): Promise<unknown> {
  const { timeoutMs = 60_000, signal } = options;
  const child = spawnOnce(entry, task, options);
  const lastWords = keepLastWords(child);
  const ended = waitForEnd(child);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  const stop = (): unknown => killGroup(child.pid, 'SIGKILL');
  const signals = signal === undefined ? [late.signal] : [late.signal, signal];
  for (const one of signals) one.addEventListener('abort', stop);
  if (signal?.aborted === true) stop();
  try {
    const line = await readLine(child.stdio[RESULT_FD]);
    if (line !== undefined) await within(EXIT_LIMIT_MS, ended);
    stop();
    const how = await ended;
    if (signal?.aborted === true) throw new ServeError('cancelled', `the run of ${entry} was cancelled`);
    if (late.signal.aborted && line === undefined) {
      throw new ServeError('deadline_exceeded', `${entry} did not answer within ${timeoutMs} ms`);
    }
    return parseAnswer(line, () => unansweredError(options.failureCode, entry, how, lastWords()));
  } finally {
    clearTimeout(timer);
    for (const one of signals) one.removeEventListener('abort', stop);
  }
}

function spawnOnce(entry: string, task: JsonValue, options: RunOnceOptions): ChildProcess {
  const nodeArgs = [...preludeArgs([]), ...(options.nodeArgs ?? [])];
  const child = spawn(process.execPath, [...nodeArgs, entry, JSON.stringify(task)], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...inheritedEnvironment() },
    // Standard output stays ours: what user code prints must not mix with what a command prints.
    stdio: ['ignore', 2, 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  child.stdio[4]?.on('error', () => undefined);
  return child;
}

/** Passes standard error on, and remembers its end. */
function keepLastWords(child: ChildProcess): () => string {
  let kept = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    kept = (kept + chunk.toString()).slice(-KEPT_STDERR_CHARS);
  });
  // Node colours its stack when it is told to by the environment; an error message holds none.
  return () =>
    stripVTControlCharacters(kept).split('\n').filter(isTelling).slice(-SHOWN_STDERR_LINES).join('\n');
}

/** Leaves out what Node prints around every error. */
function isTelling(line: string): boolean {
  return line.trim() !== '' && !/^ +at |^Node\.js v/.test(line);
}

/** Says how the child ended, after its last words were read. */
function waitForEnd(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('close', (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `ended on ${signal}`),
    );
    // Grandchildren could hold the pipes open.
    child.once('exit', () => killGroup(child.pid, 'SIGKILL'));
  });
}

async function readLine(stream: unknown): Promise<string | undefined> {
  if (!(stream instanceof Readable)) return undefined;
  let kept = '';
  for await (const chunk of stream.setEncoding('utf8')) {
    kept += String(chunk);
    const end = kept.indexOf('\n');
    if (end >= 0) return kept.slice(0, end);
  }
  return kept === '' ? undefined : kept;
}

function parseAnswer(line: string | undefined, unanswered: () => ServeError): unknown {
  const answer = line === undefined ? undefined : parseObject(line);
  if (answer === undefined) throw unanswered();
  if ('ok' in answer) return answer.ok;
  const error = 'error' in answer ? answer.error : undefined;
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) {
    throw ServeError.fromJSON(error);
  }
  throw unanswered();
}

function parseObject(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function unansweredError(
  code: ErrorCode = 'worker_not_ready',
  entry: string,
  how: string,
  words: string,
): ServeError {
  const last = words === '' ? 'it printed nothing to standard error' : `its last words:\n${words}`;
  return new ServeError(code, `${entry} ${how} without an answer; ${last}`);
}

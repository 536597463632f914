import type { ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import type { OutputConfig } from '../plan.js';
import { copyLines } from './copy-lines.js';
import { FileSink, type FileTarget, type LineSink, StandardSink } from './line-sink.js';

/** Where the output of one process goes. */
export interface OutputSinks {
  readonly stdout: LineSink;
  readonly stderr: LineSink;
  /** Before each line. */
  readonly prefix: string;
}

/** All that the workers of one tree write to; workers that name the same file share it. */
export class Outputs {
  readonly #files = new Map<string, FileSink>();
  #standard: Pick<OutputSinks, 'stdout' | 'stderr'> | undefined;

  /** `onFailure` is told that a file cannot be written. */
  constructor(private readonly onFailure: (file: string, error: Error) => void) {}

  /** The sinks of one worker; undefined if it inherits ours. */
  open(output: OutputConfig, worker: string): OutputSinks | undefined {
    if (output === 'inherit') return undefined;
    if (output === 'prefix') {
      this.#standard ??= {
        stdout: new StandardSink(process.stdout),
        stderr: new StandardSink(process.stderr),
      };
      return { ...this.#standard, prefix: `${worker} | ` };
    }
    const sink = this.#openFile(output);
    return { stdout: sink, stderr: sink, prefix: '' };
  }

  /** Closes the files; no worker is left. */
  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map((file) => file.close()));
  }

  #openFile(target: FileTarget): FileSink {
    const known = this.#files.get(target.file);
    if (known !== undefined) return known;
    const sink = new FileSink(target, (error) => this.onFailure(target.file, error));
    this.#files.set(target.file, sink);
    return sink;
  }
}

/** Reads all that a process prints. Resolves when everything was read and written. */
export async function drainOutput(
  { stdout, stderr }: ChildProcess,
  sinks: OutputSinks | undefined,
): Promise<void> {
  if (sinks === undefined) return;
  const copy = async (from: unknown, to: LineSink): Promise<void> => {
    // A process that could not be started has none.
    if (from instanceof Readable) await copyLines(from, to, sinks.prefix);
  };
  await Promise.all([copy(stdout, sinks.stdout), copy(stderr, sinks.stderr)]);
}

import { once } from 'node:events';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';

/** Takes whole lines. Writing never fails: what cannot be written is dropped, for a worker must not wait for ever. */
export interface LineSink {
  /** Resolves when the bytes were handed to the system; until then the writer should wait. */
  write(lines: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** Standard output or error of this process. */
export class StandardSink implements LineSink {
  #isLost = false;

  constructor(private readonly stream: NodeJS.WriteStream) {
    // A log collector that dies takes no server with it.
    stream.on('error', () => (this.#isLost = true));
  }

  write(lines: Buffer): Promise<void> {
    if (this.#isLost) return Promise.resolve();
    return new Promise((resolve) => this.stream.write(lines, () => resolve()));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** What a {@link FileSink} writes to. */
export interface FileTarget {
  readonly file: string;
  readonly maxBytes: number;
  readonly maxFiles: number;
}

/** After a failure, such as a full disk, the file is opened again at the next line that comes after this time. */
const RETRY_MS = 1000;

/** A file that is renamed when it is large; opened when the first line comes. */
export class FileSink implements LineSink {
  #stream: RotatingFileStream | undefined;
  #failedAtMs = -Infinity;
  #isTold = false;

  /** `onFailure` is told once until a write succeeds again. */
  constructor(
    private readonly target: FileTarget,
    private readonly onFailure: (error: Error) => void,
  ) {}

  write(lines: Buffer): Promise<void> {
    if (performance.now() - this.#failedAtMs < RETRY_MS) return Promise.resolve();
    this.#stream ??= this.#open();
    const stream = this.#stream;
    return new Promise((resolve) => {
      stream.write(lines, (error) => {
        if (error === undefined || error === null) this.#isTold = false;
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined || stream.destroyed) return;
    stream.end();
    await once(stream, 'close').catch(() => undefined);
  }

  #open(): RotatingFileStream {
    const { file, maxBytes, maxFiles } = this.target;
    const stream = createStream(file, { size: `${maxBytes}B`, rotate: maxFiles, mode: 0o640 });
    stream.on('error', (error: Error) => {
      if (this.#stream === stream) this.#stream = undefined;
      this.#failedAtMs = performance.now();
      if (!this.#isTold) this.onFailure(error);
      this.#isTold = true;
    });
    return stream;
  }
}

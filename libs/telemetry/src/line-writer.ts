import { destination } from 'pino';

/** Where finished lines go; each has its newline. */
export interface LineSink {
  write(line: string): unknown;
}

/**
 * Standard output, written once per turn of the event loop: under load hundreds of access lines become one system
 * call. Lines still wait when the process ends are written then; only a SIGKILL loses a turn's worth.
 */
class StdoutLines implements LineSink {
  private readonly out = destination({ dest: 1, sync: true });
  private waiting: string[] = [];

  constructor() {
    // A reader that went away (`| head`, a dead parent) must not end a server.
    this.out.on('error', () => undefined);
    process.on('exit', () => this.flush());
  }

  write(line: string): void {
    if (this.waiting.length === 0) setImmediate(() => this.flush());
    this.waiting.push(line);
  }

  flush(): void {
    if (this.waiting.length === 0) return;
    const text = this.waiting.join('');
    this.waiting = [];
    this.out.write(text);
  }
}

const shared: { stdout?: StdoutLines } = {};

/** The one writer of this process's standard output, so that loggers do not overtake each other. */
export function openStdout(): LineSink {
  shared.stdout ??= new StdoutLines();
  return shared.stdout;
}

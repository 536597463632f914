import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { watch } from 'chokidar';

import { createWatchFilter } from './is-watched.js';

/** An editor writes a file in several steps, and "save all" writes several files: one change. */
const QUIET_MS = 40;
/** A directory in which something changes all the time does not put the answer off for ever. */
const MAX_WAIT_MS = 1000;

/** Which service to watch. */
export interface WatchedService {
  /** Its working directory, absolute. */
  readonly dir: string;
  /** Its module, absolute. */
  readonly file: string;
}

/** Files that were changed, added or removed together. */
export interface Change {
  readonly paths: readonly string[];
  /** When the first of them was noticed, by `performance.now()`. */
  readonly noticedAt: number;
}

/** What is told of the files. */
export interface WatchListener {
  onChange(change: Change): void;
  /** The system does not let us watch, say: too many files for its limit. */
  onError(error: unknown): void;
}

/** A watch that goes on until it is closed. */
export interface ServiceWatch {
  close(): Promise<void>;
}

/** Watches a service's own files; resolves when every later change will be noticed. */
export async function watchService(service: WatchedService, listener: WatchListener): Promise<ServiceWatch> {
  const ignored = await readFile(join(service.dir, '.bentoignore'), 'utf8').catch(() => '');
  const isWatched = createWatchFilter({ ...service, ignored });
  const watcher = watch(service.dir, {
    ignoreInitial: true,
    // A link may lead anywhere, also to where it is.
    followSymlinks: false,
    ignored: (path, stats) =>
      stats !== undefined && !isWatched(path, stats.isDirectory() ? 'folder' : 'file'),
  });
  const batch = new Batch((change) => listener.onChange(change));
  for (const event of ['add', 'change', 'unlink'] as const) watcher.on(event, (path) => batch.add(path));
  watcher.on('error', (error) => listener.onError(error));
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  return {
    close: async () => {
      batch.drop();
      await watcher.close();
    },
  };
}

/** Collects paths until there is a moment of quiet. */
class Batch {
  readonly #paths = new Set<string>();
  #noticedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly give: (change: Change) => void) {}

  add(path: string): void {
    const now = performance.now();
    if (this.#paths.size === 0) this.#noticedAt = now;
    this.#paths.add(path);
    clearTimeout(this.#timer);
    const leftMs = this.#noticedAt + MAX_WAIT_MS - now;
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, Math.min(QUIET_MS, leftMs)));
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#paths.clear();
  }

  #flush(): void {
    const paths = [...this.#paths];
    this.#paths.clear();
    this.give({ paths, noticedAt: this.#noticedAt });
  }
}

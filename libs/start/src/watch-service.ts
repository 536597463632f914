import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { watch } from 'chokidar';

import { type Change, ChangeBatch } from './change-batch.js';
import { createWatchFilter } from './is-watched.js';
import { isEmptyFile, SavedFiles } from './saved-files.js';

/** Which service to watch. */
export interface WatchedService {
  /** Its working directory, absolute. */
  readonly dir: string;
  /** Its module, absolute. */
  readonly file: string;
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
  const saved = new SavedFiles();
  const batch = new ChangeBatch((change) => {
    const paths = saved.pickNews(change.paths);
    if (paths.length > 0) listener.onChange({ ...change, paths });
  }, isEmptyFile);
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

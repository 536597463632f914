import { fileURLToPath } from 'node:url';
import { runToExit, startRunnerServer } from '@bentots/start';

const entryOf = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** The parent: everything it needs to know is in the environment (`BENTOTS_*`). */
await runToExit(
  startRunnerServer({ workers: { runner: entryOf('./worker.js'), dispatcher: entryOf('./dispatcher.js') } }),
);

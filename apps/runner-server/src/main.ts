import { fileURLToPath } from 'node:url';
import { runToExit, startRunnerServer } from '@bentots/start';

/** The parent: everything it needs to know is in the environment (`BENTOTS_*`). */
await runToExit(
  startRunnerServer({ workers: { runner: fileURLToPath(new URL('./worker.js', import.meta.url)) } }),
);

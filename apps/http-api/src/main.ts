import { fileURLToPath } from 'node:url';
import { COMMAND_DEFAULTS } from '@bentots/config';
import { runToExit, startHttpServer } from '@bentots/start';

// The parent's door: configured by BENTOTS_* variables alone, as a container is.
const http = fileURLToPath(new URL('./worker.js', import.meta.url));
await runToExit(startHttpServer({ workers: { http }, defaults: COMMAND_DEFAULTS.http }));

import { fileURLToPath } from 'node:url';
import { COMMAND_DEFAULTS } from '@bentots/config';
import { runToExit, startGrpcServer } from '@bentots/start';

// The parent's door: configured by BENTOTS_* variables alone, as a container is.
const grpc = fileURLToPath(new URL('./worker.js', import.meta.url));
await runToExit(startGrpcServer({ workers: { grpc }, defaults: COMMAND_DEFAULTS.grpc }));

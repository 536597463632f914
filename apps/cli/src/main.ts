import { runCli } from './run-cli.js';

// A reader that has seen enough (`bentots --help | head`), or a log collector that dies, is no reason to crash.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCli(process.argv.slice(2));

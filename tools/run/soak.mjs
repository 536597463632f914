// `npm run soak -- [--minutes 2] [--seed N] [--verbose]`: real process trees under load and a random killer.
import { install, main, nx, run, say } from './prepare.mjs';

await main(async () => {
  await install();
  say('building (cached)');
  await nx('run-many', '-t', 'build', '-p', 'cli', '--output-style=static');
  say('soak');
  await run(process.execPath, ['--import', 'tsx', 'e2e/soak/main.ts', ...process.argv.slice(2)]);
});

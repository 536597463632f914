// `npm test`: everything that must hold, on a fresh clone too. Format, lint, types, boundaries, unit tests, build, e2e.
import { readReports, sayFailures, sayFlaky } from './outcome.mjs';
import { install, main, nx, run, say } from './prepare.mjs';

await main(async () => {
  const began = Date.now();
  await install();
  say('format');
  await run(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.']);
  say('project references match the imports');
  await nx('sync:check');
  say('build, types, lint and boundaries, unit tests');
  await tasks('run-many', '-t', 'build', 'typecheck', 'lint', 'test', 'train', '--parallel=2');
  say('end to end: whole topologies of real processes');
  await tasks('run', 'e2e:e2e');
  const reports = readReports();
  sayFlaky(reports);
  console.log('');
  for (const { folder, numPassedTests } of reports) {
    console.log(`${folder.padEnd(24)} ${String(numPassedTests).padStart(5)} passed`);
  }
  console.log(
    `\nin ${Math.round((Date.now() - began) / 1000)} s; format, build, types, lint and boundaries are clean`,
  );
  sayTotal(reports);
});

/** Runs tasks; when one fails, the end of the output says which and why. */
async function tasks(...args) {
  try {
    await nx(...args, '--output-style=static');
  } catch (error) {
    const reports = readReports();
    sayFlaky(reports);
    sayFailures(reports);
    sayTotal(reports);
    throw error;
  }
}

/** Adds up the report of every project's tests; each wrote one where Nx keeps its outputs. */
function sayTotal(reports) {
  const sum = (count) => reports.reduce((total, report) => total + report[count], 0);
  console.log(`${sum('numPassedTests')} passed, ${sum('numFailedTests')} failed`);
}

// `npm test`: everything that must hold, on a fresh clone too. Format, lint, types, boundaries, unit tests, build, e2e.
import { readdirSync, readFileSync } from 'node:fs';
import { install, main, nx, root, run, say } from './prepare.mjs';

await main(async () => {
  const began = Date.now();
  await install();
  say('format');
  await run(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.']);
  say('project references match the imports');
  await nx('sync:check');
  say('build, types, lint and boundaries, unit tests');
  await nx(
    'run-many',
    '-t',
    'build',
    'typecheck',
    'lint',
    'test',
    'train',
    '--parallel=2',
    '--output-style=static',
  );
  say('end to end: whole topologies of real processes');
  await nx('run', 'e2e:e2e', '--output-style=static');
  report((Date.now() - began) / 1000);
});

/** Adds up the report of every project's tests; each wrote one where Nx keeps its outputs. */
function report(seconds) {
  const total = { passed: 0, failed: 0 };
  console.log('');
  for (const folder of ['libs', 'apps', 'examples', 'tools'].flatMap(projectsIn).concat('e2e')) {
    const counts = readReport(folder);
    if (!counts) continue;
    console.log(`${folder.padEnd(24)} ${String(counts.numPassedTests).padStart(5)} passed`);
    total.passed += counts.numPassedTests;
    total.failed += counts.numFailedTests;
  }
  console.log(`\nin ${Math.round(seconds)} s; format, build, types, lint and boundaries are clean`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
}

function projectsIn(folder) {
  return readdirSync(`${root}/${folder}`).map((name) => `${folder}/${name}`);
}

function readReport(folder) {
  try {
    return JSON.parse(readFileSync(`${root}/${folder}/out-tsc/test-report.json`, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

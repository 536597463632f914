// What became of a run: who passed, who failed and why, who passed only at the second try. Said last, where logs are cut.
import { readdirSync, readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { root } from './prepare.mjs';

/** How much of a failed task's output is shown again. */
const TAIL_LINES = 60;
const TEST_LINES = 150;

/** Every project with tests that has run, with the report that Vitest wrote. */
export function readReports() {
  return ['libs', 'apps', 'examples', 'tools']
    .flatMap((folder) => readdirSync(`${root}/${folder}`).map((name) => `${folder}/${name}`))
    .concat('e2e')
    .flatMap((folder) => {
      const text = read(`${root}/${folder}/out-tsc/test-report.json`);
      return text === undefined ? [] : [{ folder, ...JSON.parse(text) }];
    });
}

/** Names tests that failed first and passed then: the run is good, the test is not. */
export function sayFlaky(reports) {
  for (const test of reports.flatMap(testsOf)) {
    if (test.status !== 'passed' || test.failureMessages.length === 0) continue;
    // Vitest's report has no words for a test that took too long.
    const reason = test.failureMessages[0].replace('STACK_TRACE_ERROR', 'it took too long');
    console.log(`\nflaky: ${test.path}\n    ${reason.split('\n', 4).join('\n    ')}`);
  }
}

/** Shows how the failed tasks of the last Nx run ended, then names them and their failed tests. */
export function sayFailures(reports) {
  const { tasks = [] } = JSON.parse(read(`${root}/.nx/cache/run.json`) ?? '{}');
  const failed = tasks.filter(({ status }) => status !== 0);
  for (const { taskId, hash } of failed) {
    console.log(`\n== ${taskId} failed`);
    console.log(endOf(read(`${root}/.nx/cache/terminalOutputs/${hash}`) ?? 'its output was not kept'));
  }
  console.log('');
  for (const { taskId, projectName, startTime } of failed) {
    console.log(`failed: ${taskId}`);
    const report = reports.find(({ folder }) => nameOf(folder) === projectName);
    // An older report is of another run: this task did not come to write its own.
    if (!report || report.startTime < Date.parse(startTime)) continue;
    for (const { status, path } of testsOf(report)) if (status === 'failed') console.log(`  ${path}`);
  }
  if (failed.length === 0) console.log('failed: no task, but Nx itself');
}

/** Of tests the list of failures, of anything else the last lines. */
function endOf(output) {
  const lines = stripVTControlCharacters(output).trimEnd().split('\n');
  const failures = lines.findIndex((line) => /⎯ (Failed (Suites|Tests)|Unhandled Errors) \d* ?⎯/.test(line));
  const end = failures < 0 ? lines.slice(-TAIL_LINES) : lines.slice(failures, failures + TEST_LINES);
  return end.join('\n');
}

function testsOf({ testResults }) {
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map((test) => ({
      ...test,
      path: [name.replace(root, ''), ...test.ancestorTitles, test.title].join(' > '),
    })),
  );
}

function nameOf(folder) {
  return JSON.parse(readFileSync(`${root}/${folder}/package.json`, 'utf8')).nx?.name;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

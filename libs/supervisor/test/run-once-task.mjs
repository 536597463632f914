// What a short-lived child may do; the task says which.
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';

const task = JSON.parse(process.argv[2]);
const answer = (value) => writeSync(3, `${JSON.stringify(value)}\n`);
console.log('user code prints here');
if (task.do === 'answer') answer({ ok: { ...task, cwd: process.cwd() } });
else if (task.do === 'nothing-wrong') answer({ ok: null });
else if (task.do === 'error')
  answer({ error: { code: 'service_broken', message: 'line 3: no', details: { line: 3 } } });
else if (task.do === 'throw') throw new Error('import went wrong');
else if (task.do === 'exit') process.exit(5);
else if (task.do === 'garbage') writeSync(3, 'hello\n');
else if (task.do === 'hang') setInterval(() => undefined, 1000);
else if (task.do === 'spin') {
  process.stderr.write(`pid ${process.pid}\n`);
  for (;;);
} else if (task.do === 'linger') {
  const { pid } = spawn('sleep', ['1000'], { stdio: 'ignore' });
  setInterval(() => undefined, 1000);
  answer({ ok: { child: pid } });
}

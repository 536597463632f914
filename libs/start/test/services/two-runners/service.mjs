import { appendFileSync } from 'node:fs';

import { createRunner, json, method, Service } from '@bentots/service';

class Idle {
  static methods = { run: method() };
  run() {
    return null;
  }
}

const near = createRunner(Idle, { name: 'near' });
const far = createRunner(Idle, { name: 'far', workers: 2 });
const inside = createRunner(Idle, { name: 'inside', embedded: true });

if (process.env.LOAD_LOG) appendFileSync(process.env.LOAD_LOG, `${process.pid}\n`);
if (process.env.LOAD_KILLS) process.kill(process.pid, 'SIGKILL');
console.log('the module of the service prints');

export const svc = new Service('two-runners', { version: '1.0', runners: [near, far, inside] })
  .api('hello', { input: json(), output: json() }, () => ({ ok: true }))
  .onDeployment(() => {
    if (process.env.DEPLOY_LOG) appendFileSync(process.env.DEPLOY_LOG, 'deployed\n');
  });

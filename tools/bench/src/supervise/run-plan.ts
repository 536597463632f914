import { readFile } from 'node:fs/promises';
import { Arbiter, handleSignals, type Plan, type SupervisorEvent } from '@bentots/supervisor';

// An arbiter for a plan from a file, which says what happens in the words of the commands' own log.
const [file = '', suffix = ''] = process.argv.slice(2);
const plan = JSON.parse(await readFile(file, 'utf8')) as Plan;

function tell(event: SupervisorEvent): void {
  if (event.type === 'tree') console.log(`tree is ${event.state}`);
  if (event.type === 'warning') console.log(event.message);
  if (event.type === 'worker-exited' && !event.expected) console.log(JSON.stringify(event));
  if (event.type === 'socket-bound' && 'port' in event.socket.address) {
    const { host, port } = event.socket.address;
    console.log(`ready on ${event.socket.name}${suffix}://${host}:${port}`);
  }
}

const arbiter = new Arbiter(plan, { onEvent: tell });
handleSignals(arbiter);
await arbiter.start();
process.exitCode = (await arbiter.done).exitCode;

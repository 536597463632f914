import { parseDecimal } from '@bentots/config';
import { Argument, Command, Option } from 'commander';

import { CTL_EXAMPLES, formatExamples } from './control-help.js';
import { ctl } from './run-ctl.js';

const watcher = (): Argument => new Argument('<watcher>', 'a watcher, as `ctl list` names them');
const someWatcher = (): Argument => new Argument('[watcher]', 'only this watcher');
const someWorker = (): Argument =>
  new Argument('[worker]', 'only its worker of this number').argParser(number);
const count = (): Argument => new Argument('[count]', 'how many (default: 1)').argParser(number);

/** Nonsense stays a text, which the server refuses by name. */
function number(text: string): unknown {
  return parseDecimal(text);
}

/** `bentots ctl`: one question or wish to a running server. */
export function createCtlCommand(): Command {
  const command = new Command('ctl')
    .description('Ask and steer a running server by its control socket.')
    .addOption(createTreeOption())
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', formatExamples(CTL_EXAMPLES));
  for (const sub of [...questions(), ...changes()]) command.addCommand(sub);
  return command;
}

/** Which server is meant; of `ctl` and `top`. */
export function createTreeOption(): Option {
  return new Option(
    '--tree <tree>',
    'name, process id or socket file of the server (default: the only one there is) [BENTOTS_CONTROL_SOCKET]',
  );
}

function questions(): Command[] {
  return [
    new Command('trees').description('list the servers that can be controlled').action(ctl.trees),
    new Command('status')
      .description('show sockets and workers, and what went wrong last')
      .action(ctl.status),
    new Command('list').description('list the watchers and their processes').action(ctl.list),
    new Command('stats')
      .description('show CPU, memory, event-loop lag and restarts of each worker')
      .action(ctl.stats),
    new Command('events')
      .description('show what happens, until the server or you end it')
      .addOption(new Option('--last <n>', 'so many of those before, up to 256').argParser(number).default(10))
      .option('--no-follow', 'only those before')
      .action(ctl.events),
  ];
}

function changes(): Command[] {
  return [
    new Command('reload')
      .description('replace workers one by one, the new one first; nobody notices')
      .addArgument(someWatcher())
      .action(ctl.reload),
    new Command('restart')
      .description('restart workers one by one, the old one first')
      .addArgument(someWatcher())
      .addArgument(someWorker())
      .action(ctl.restart),
    new Command('incr')
      .description('start more workers')
      .addArgument(watcher())
      .addArgument(count())
      .action(ctl.incr),
    new Command('decr')
      .description('drain and end workers, those of the highest numbers')
      .addArgument(watcher())
      .addArgument(count())
      .action(ctl.decr),
    new Command('set')
      .description('start or end workers until there are so many')
      .addArgument(watcher())
      .addArgument(new Argument('<count>', 'workers from now on').argParser(number))
      .action(ctl.set),
    new Command('signal')
      .description('send a signal to workers')
      .argument('<signal>', 'its name: USR2 or SIGUSR2')
      .addArgument(someWatcher())
      .addArgument(someWorker())
      .action(ctl.signal),
    new Command('stop')
      .description('finish what is in flight, then end the server; returns when it is gone')
      .option('--force', 'kill everything now')
      .action(ctl.stop),
  ];
}

import { readFileSync } from 'node:fs';

import { Command, CommanderError } from 'commander';

import { createGrpcCommand, createHttpCommand, createRunnerCommand, createServeCommand } from './commands.js';
import { createCtlCommand } from './control/ctl-command.js';
import { createTopCommand } from './control/top-command.js';
import { formatHelpHint, PROGRAM_HELP } from './help-text.js';

/** A wrong flag is a wrong option: the same exit code as invalid_option has. */
const EXIT_WRONG_FLAG = 2;

/** Runs the command that `args` (without node and script) say; returns the exit code and never rejects. */
export async function runCli(args: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args.map(spellOut), { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error; // a bug: Node prints its stack
    return error.exitCode === 0 ? 0 : EXIT_WRONG_FLAG; // help and version end here too
  }
}

/** BentoML's short form has two letters, which commander reads as two flags. */
function spellOut(arg: string): string {
  return arg === '-pv' ? '--protocol-version' : arg;
}

function createProgram(): Command {
  const program = new Command('bentots')
    .description('Serve machine-learning models: runner servers hold them, API servers face the clients.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', PROGRAM_HELP)
    .showHelpAfterError(formatHelpHint())
    .exitOverride();
  const servers = [createServeCommand, createHttpCommand, createGrpcCommand, createRunnerCommand];
  for (const create of [...servers, createCtlCommand, createTopCommand]) {
    program.addCommand(inherit(create(), program, ''));
  }
  return program;
}

/** What holds for the program holds for a command and its own commands; each hints at its own help. */
function inherit(command: Command, program: Command, parents: string): Command {
  const path = `${parents}${command.name()}`;
  for (const sub of command.commands) inherit(sub, program, `${path} `);
  return command.copyInheritedSettings(program).showHelpAfterError(formatHelpHint(path));
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const manifest: { version?: string } = JSON.parse(text);
  return manifest.version ?? 'unknown';
}

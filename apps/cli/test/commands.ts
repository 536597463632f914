import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/bentots.mjs', import.meta.url));

/** What a command said, and how it ended. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user with a runtime directory of their own, so that other servers of this machine are not theirs. */
export class Host {
  readonly runtimeDir = mkdtempSync(join(tmpdir(), 'bentots-ctl-'));
  readonly #running = new Set<ChildProcess>();

  get #env(): NodeJS.ProcessEnv {
    const { runtimeDir } = this;
    return { PATH: process.env['PATH'], XDG_RUNTIME_DIR: runtimeDir, TMPDIR: runtimeDir };
  }

  /** Starts a command. */
  spawn(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(process.execPath, [bin, ...args], {
      env: { ...this.#env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Starts a command at a terminal of its own; what is written to its input are key presses. */
  spawnAtTerminal(args: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
    const words = [process.execPath, bin, ...args].map((word) => `'${word}'`);
    const command = `stty rows 30 cols 120; exec ${words.join(' ')}`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], {
      env: this.#env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#running.add(terminal);
    return terminal;
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const child = this.spawn(args, env);
    const ended = once(child, 'exit');
    if (child.stdout === null || child.stderr === null) throw new Error('the command has no output');
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { code, stdout, stderr };
  }

  /** Starts a server, and waits until it is ready. */
  async serve(args: readonly string[]): Promise<ChildProcess> {
    const server = this.spawn(args);
    this.#running.add(server);
    server.stderr?.resume();
    await new Promise<void>((resolve, reject) => {
      server.stdout?.on('data', (data: Buffer) => {
        if (data.toString().includes('is ready on')) resolve();
      });
      server.once('exit', (code) => reject(new Error(`the server ended with code ${String(code)}`)));
    });
    return server;
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    for (const child of this.#running) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
  }
}

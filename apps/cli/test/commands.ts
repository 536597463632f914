import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  readonly #servers = new Set<ChildProcess>();

  /** Starts a command. */
  spawn(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const { runtimeDir } = this;
    return spawn(process.execPath, [bin, ...args], {
      env: { PATH: process.env['PATH'], XDG_RUNTIME_DIR: runtimeDir, TMPDIR: runtimeDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
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
    this.#servers.add(server);
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
    for (const server of this.#servers) {
      if (server.exitCode !== null || server.signalCode !== null) continue;
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    }
  }
}

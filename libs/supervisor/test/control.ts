import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ServeError } from '@bentots/errors';
import type { ControlledTree } from '../src/control/commands.js';
import { ControlServer } from '../src/control/control-server.js';
import type { SupervisorEvent, TreeStatus } from '../src/index.js';

/** A path for a control socket, in a folder that is not there yet. */
export function controlPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'control-')), 'own', 'tree.sock');
}

/** A tree without processes: it remembers what it was asked, and answers when the test says so. */
export class FakeTree implements ControlledTree {
  readonly asked: unknown[] = [];
  answer: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<(event: SupervisorEvent) => void>();

  status(): TreeStatus {
    return { name: 'fake', state: 'running', pid: process.pid, sockets: [], watchers: [] };
  }
  async reload(watcher?: string): Promise<void> {
    this.asked.push(['reload', watcher]);
    await this.answer;
  }
  async restart(watcher?: string, workerId?: number): Promise<void> {
    this.asked.push(['restart', watcher, workerId]);
    await this.answer;
  }
  async setNumProcesses(watcher: string, count: number): Promise<number> {
    this.asked.push(['set', watcher, count]);
    if (watcher !== 'web') throw new ServeError('not_found', `no watcher is named '${watcher}'`);
    await this.answer;
    return count;
  }
  async changeNumProcesses(watcher: string, by: number): Promise<number> {
    this.asked.push(['change', watcher, by]);
    await this.answer;
    return 2 + by;
  }
  signal(signal: NodeJS.Signals, watcher?: string, workerId?: number): number {
    this.asked.push(['signal', signal, watcher, workerId]);
    return 3;
  }
  async stop(): Promise<void> {
    this.asked.push(['stop']);
  }
  force(): void {
    this.asked.push(['force']);
  }
  emit(event: SupervisorEvent): void {
    for (const tell of [...this.#listeners]) tell(event);
  }
  subscribe(listener: (event: SupervisorEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** A control socket with a fake tree behind it. */
export async function openFake(): Promise<{ tree: FakeTree; server: ControlServer; path: string }> {
  const tree = new FakeTree();
  const path = controlPath();
  const server = new ControlServer({ path, optional: false }, tree);
  await server.open();
  return { tree, server, path };
}

/** A client that writes what it likes, and reads line by line. */
export class RawClient {
  readonly #lines: AsyncIterator<string>;
  readonly closed: Promise<unknown>;

  private constructor(readonly socket: net.Socket) {
    this.#lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
  }

  static async connect(path: string): Promise<RawClient> {
    const socket = net.connect(path);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  send(...requests: readonly (string | object)[]): void {
    for (const request of requests) {
      this.socket.write(typeof request === 'string' ? request : `${JSON.stringify(request)}\n`);
    }
  }

  /** The next line as JSON; undefined when the connection has ended. */
  async next(): Promise<Record<string, unknown> | undefined> {
    const { value, done } = await this.#lines.next();
    return done === true ? undefined : JSON.parse(value);
  }

  async ask(request: object): Promise<Record<string, unknown> | undefined> {
    this.send(request);
    return this.next();
  }
}

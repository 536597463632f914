import net from 'node:net';
import { ServeError } from '@bentots/errors';
import { compileSocket } from '../compile-socket.js';
import type { ControlConfig, SocketSpec } from '../plan.js';
import type { Listener } from '../socket/listener.js';
import { bindListener } from '../socket/listener.js';
import type { OwnedFile } from '../socket/unix-path.js';
import { Commands, type ControlledTree } from './commands.js';
import { ControlConnection } from './control-connection.js';
import { claimControlPath, prepareControlFolder, releaseControlPath } from './control-path.js';
import { EventLog } from './event-log.js';
import { CONTROL_LIMITS } from './protocol.js';

/** The control socket of one tree. Without a path there is none, and nothing is kept. */
export class ControlServer {
  readonly #log = new EventLog(CONTROL_LIMITS.keptEvents);
  readonly #connections = new Set<ControlConnection>();
  readonly #commands: Commands;
  #path: string | undefined;
  #listener: Listener | undefined;

  constructor(
    private readonly config: ControlConfig | undefined,
    private readonly tree: ControlledTree,
  ) {
    this.#commands = new Commands(tree);
    if (config !== undefined) tree.subscribe((event) => this.#log.add(event));
  }

  /** The socket's file, while it is open. */
  get file(): OwnedFile | undefined {
    return this.#listener?.file;
  }

  /**
   * Makes the folder if it is not there, binds and accepts. Throws `address_in_use` or `address_unavailable`; where the
   * socket is optional, that is a warning.
   */
  async open(): Promise<void> {
    if (this.config === undefined) return;
    try {
      await this.#bind(this.config.path);
    } catch (error) {
      this.close();
      if (!this.config.optional) throw error;
      const { message } = ServeError.from(error);
      this.tree.emit({ type: 'warning', message: `this tree has no control socket: ${message}` });
    }
  }

  /** Removes the file; clients are told what is left to tell, and go. */
  close(): void {
    this.#listener?.close();
    this.#listener = undefined;
    if (this.#path !== undefined) releaseControlPath(this.#path);
    for (const connection of this.#connections) connection.close();
  }

  async #bind(template: string): Promise<void> {
    const path = claimControlPath(template);
    this.#path = path;
    prepareControlFolder(path);
    // At once, so that nobody finds a file on which nobody listens, and takes it for one that was left behind.
    const spec: SocketSpec = {
      ...{ name: 'control', path, mode: 0o600, accept: 'balanced' },
      backlog: CONTROL_LIMITS.connections,
    };
    this.#listener = await bindListener(compileSocket(spec, []));
    this.#listener.startAccepting((handle) => this.#accept(handle));
    this.tree.emit({ type: 'socket-bound', socket: this.#listener.bound });
  }

  #accept(handle: object): void {
    const options: net.SocketConstructorOpts & { readonly handle: object } = { handle, allowHalfOpen: true };
    const socket = new net.Socket({ ...options, readable: true, writable: true });
    if (this.#connections.size >= CONTROL_LIMITS.connections) {
      const message = `${CONTROL_LIMITS.connections} clients are connected to this control socket; close one of them`;
      ControlConnection.refuse(socket, new ServeError('too_many_requests', message));
      return;
    }
    const connection = new ControlConnection(socket, this.#commands, this.#log);
    this.#connections.add(connection);
    socket.once('close', () => this.#connections.delete(connection));
  }
}

import net from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { readConnectionTable } from './connection-table.js';
import type { RawHandle, RawServerHandle } from './raw-handle.js';

/** Under a flood from far away there is always a handshake going on; after so long we close in the midst of it. */
const SEAL_LIMIT_MS = 2000;
const QUIET_LIMIT_MS = 100;
const HALF_OPEN_CHECK_MS = 20;

/**
 * Closes a listening socket without resetting anybody: whoever waits in its queue is accepted and given to `take`,
 * whoever comes later is refused.
 *
 * The gap between "the queue is empty" and close() is small, but at thousands of connections per second somebody falls
 * into it. So a TCP queue is plugged: a connection of our own goes in, and then the queue's length is set to 0. Now the
 * kernel ignores newcomers (they try again, and will be refused) until the queue is empty, and while our plug is its last
 * entry it is not. The system's table of connections tells how many are before the plug; they are accepted, and the
 * socket is closed with nobody but the plug in its queue. (Without such a table, not on Linux, the gap stays.)
 */
export async function sealSocket(
  handle: RawServerHandle,
  backlog: number,
  take: (client: RawHandle) => void,
): Promise<void> {
  const sealing = new Sealing(handle, backlog, take);
  do await sealing.acceptAll();
  while (!sealing.isLate && !(await sealing.acceptUpToPlug()));
  handle.onconnection = null;
  handle.close();
}

class Sealing {
  readonly #deadline = performance.now() + SEAL_LIMIT_MS;
  readonly #address: { address?: string; port?: number } = {};
  #accepted = 0;
  /** Local ports of plugs that got into the queue. */
  readonly #plugPorts = new Set<number>();
  /** Clients that a plug kept from finishing their handshake. */
  #halfOpen: readonly number[] = [];
  #onAccepted: () => void = () => undefined;

  constructor(
    private readonly handle: RawServerHandle,
    private readonly backlog: number,
    private readonly take: (client: RawHandle) => void,
  ) {
    handle.getsockname?.(this.#address);
    handle.onconnection = (status, client) => {
      if (status === 0 && client !== undefined) this.#onConnection(client);
    };
  }

  get isLate(): boolean {
    return performance.now() >= this.#deadline;
  }

  /** Accepts until nobody waits, and those whom a plug kept out have come in. */
  async acceptAll(): Promise<void> {
    this.handle.listen(this.backlog);
    while (this.#halfOpen.length > 0 && !this.isLate) {
      await sleep(HALF_OPEN_CHECK_MS);
      const lines = this.#readTable()?.filter(
        (line) => line.isHalfOpen && this.#halfOpen.includes(line.remotePort),
      );
      this.#halfOpen = lines?.map((line) => line.remotePort) ?? [];
    }
    // A turn of the event loop accepts one connection. Under load there may never be a turn without one; a plug needs
    // none, but the fewer wait the sooner it is done.
    const enough = this.#address.port === undefined ? this.#deadline : performance.now() + QUIET_LIMIT_MS;
    for (let before = -1; before !== this.#accepted && performance.now() < enough;) {
      before = this.#accepted;
      await nextTurn();
      await nextTurn();
    }
  }

  /** Plugs the queue and accepts all before the plug. True if the plug is all that is left: then close, in this turn. */
  async acceptUpToPlug(): Promise<boolean> {
    const { port } = this.#address;
    // A unix socket needs no plug: its file is gone, so that nobody finds it any more.
    if (port === undefined) return true;
    const plug = net.connect(port, this.#reachableHost);
    plug.on('error', () => undefined);
    try {
      // The connect happens in the next tick, and right after it the queue is shut: both before anything is accepted.
      await new Promise<void>((resolve) => process.nextTick(() => resolve(void this.handle.listen(0))));
      const lines = this.#readTable();
      if (lines === undefined) return true;
      const { localPort = 0 } = plug;
      const queued = lines.filter((line) => line.isQueued);
      this.#halfOpen = lines.filter((line) => line.isHalfOpen).map((line) => line.remotePort);
      if (!queued.some((line) => line.remotePort === localPort)) return false;
      this.#plugPorts.add(localPort);
      if (this.#halfOpen.length > 0) return false;
      await this.#accept(queued.length - 1);
      // If it was accepted, somebody came in after it.
      return this.#plugPorts.has(localPort);
    } finally {
      plug.destroy();
    }
  }

  /** Resolves as soon as so many more were accepted, before the event loop accepts another one. */
  #accept(count: number): Promise<void> {
    const goal = this.#accepted + count;
    return new Promise((resolve) => {
      this.#onAccepted = () => {
        if (this.#accepted >= goal) resolve();
      };
      this.#onAccepted();
    });
  }

  #onConnection(client: RawHandle): void {
    const peer: { port?: number } = {};
    client.getpeername?.(peer);
    this.#accepted += 1;
    if (this.#plugPorts.delete(peer.port ?? -1)) client.close();
    else this.take(client);
    this.#onAccepted();
  }

  #readTable(): ReturnType<typeof readConnectionTable> {
    return readConnectionTable(net.isIPv6(this.#reachableHost) ? 6 : 4, this.#address.port ?? 0);
  }

  /** The address to reach a socket of ours, also if it is bound to all addresses. */
  get #reachableHost(): string {
    const { address = '127.0.0.1' } = this.#address;
    if (address === '0.0.0.0') return '127.0.0.1';
    return address === '::' ? '::1' : address;
  }
}

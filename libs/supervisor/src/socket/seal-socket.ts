import net from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { readConnectionTable } from './connection-table.js';
import type { RawHandle, RawServerHandle } from './raw-handle.js';

/** Under a flood from far away there is always a handshake going on; after so long we close in the midst of it. */
const SEAL_LIMIT_MS = 2000;
/**
 * The queue holds one more than its length says. Not 1: with a length of 0 the kernel answers every newcomer with a SYN
 * cookie, and then a client may believe that it is connected while no table shows it.
 */
const PLUGS = 3;
const HALF_OPEN_CHECK_MS = 20;

/**
 * Closes a listening socket without resetting anybody: whoever waits in its queue is accepted and given to `take`,
 * whoever comes later is refused.
 *
 * The gap between "the queue is empty" and close() is small, but at thousands of connections per second somebody falls
 * into it. So TCP sockets are plugged: the queue is shrunk to a few places, connections of our own take them, and the
 * kernel ignores others, who will try again and be refused. Seen in the system's table of connections, the plugs prove
 * that nobody else is in the queue. (Without such a table, not on Linux, the gap stays.)
 */
export async function sealSocket(
  handle: RawServerHandle,
  backlog: number,
  take: (client: RawHandle) => void,
): Promise<void> {
  const sealing = new Sealing(handle, backlog, take);
  await sealing.acceptAll();
  while (!sealing.isLate && !(await sealing.plug())) await sealing.acceptAll();
  handle.onconnection = null;
  handle.close();
}

class Sealing {
  readonly #deadline = performance.now() + SEAL_LIMIT_MS;
  readonly #plugPorts = new Set<number>();
  readonly #address: { address?: string; port?: number } = {};
  #accepted = 0;
  /** Clients that a plug kept from finishing their handshake. */
  #halfOpen: readonly number[] = [];

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
    // A turn of the event loop accepts one connection.
    for (let before = -1; before !== this.#accepted && !this.isLate;) {
      before = this.#accepted;
      await nextTurn();
      await nextTurn();
    }
  }

  /** Fills the queue with plugs and looks, before the event loop can accept them, whether they are alone in it. */
  async plug(): Promise<boolean> {
    const { port } = this.#address;
    // A unix socket needs none: its file is gone, so that nobody finds it any more.
    if (port === undefined) return true;
    this.handle.listen(PLUGS - 1);
    const plugs = Array.from({ length: PLUGS }, () => net.connect(port, this.#reachableHost));
    for (const plug of plugs) plug.on('error', () => undefined);
    // The connects themselves happen in the next ticks, still in this turn.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const ports = plugs.map((plug) => plug.localPort ?? 0);
    for (const one of ports) this.#plugPorts.add(one);
    const lines = this.#readTable();
    for (const plug of plugs) plug.destroy();
    if (lines === undefined) return true;
    this.#halfOpen = lines.filter((line) => line.isHalfOpen).map((line) => line.remotePort);
    const queued = lines.filter((line) => line.isQueued).map((line) => line.remotePort);
    return (
      queued.length === PLUGS && queued.every((one) => ports.includes(one)) && this.#halfOpen.length === 0
    );
  }

  #onConnection(client: RawHandle): void {
    const peer: { port?: number } = {};
    client.getpeername?.(peer);
    this.#accepted += 1;
    if (this.#plugPorts.delete(peer.port ?? -1)) client.close();
    else this.take(client);
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

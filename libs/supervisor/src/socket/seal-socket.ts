import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BoundSocket } from './bound-socket.js';
import type { RawHandle, RawServerHandle } from './raw-handle.js';

/** Under a flood of connections there is no quiet moment; then we close in a busy one. */
const SEAL_LIMIT_MS = 500;

/**
 * Closes a listening socket without resetting anybody. Whoever waits in its queue is accepted and given to `take`;
 * whoever comes later is refused.
 *
 * The gap between "the queue is empty" and close() is small, but at thousands of connections per second somebody falls
 * into it. So TCP sockets are plugged: the queue is shrunk to one place, a connection of our own takes it, and the kernel
 * ignores others, who will try again and be refused. Seen in the system's table of connections, the plug proves that
 * nobody else is in the queue. (Without such a table, not on Linux, the gap stays.)
 */
export async function sealSocket(
  address: BoundSocket['address'],
  handle: RawServerHandle,
  backlog: number,
  take: (client: RawHandle) => void,
): Promise<void> {
  const deadline = performance.now() + SEAL_LIMIT_MS;
  const plugPorts = new Set<number>();
  let accepted = 0;
  handle.onconnection = (status, client) => {
    if (status !== 0 || client === undefined) return;
    accepted += 1;
    if (plugPorts.delete(peerPortOf(client))) client.close();
    else take(client);
  };
  handle.listen(backlog);
  for (let isSealed = false; !isSealed && performance.now() < deadline;) {
    // A turn of the event loop accepts one connection.
    for (let before = -1; before !== accepted && performance.now() < deadline;) {
      before = accepted;
      await nextTurn();
      await nextTurn();
    }
    isSealed = 'path' in address || (await isPlugged(address.port, handle, plugPorts));
    if (!isSealed) handle.listen(backlog);
  }
  handle.onconnection = null;
  handle.close();
}

/** Connects a plug and looks, before the event loop can accept it, whether it is in the queue, and so alone there. */
async function isPlugged(port: number, handle: RawServerHandle, plugPorts: Set<number>): Promise<boolean> {
  const host = reachableHost(handle);
  handle.listen(0);
  const plug = net.connect(port, host);
  plug.on('error', () => undefined);
  // The connect itself happens in the next tick, still in this turn.
  await new Promise<void>((resolve) => process.nextTick(resolve));
  const { localPort } = plug;
  if (localPort !== undefined) plugPorts.add(localPort);
  const lines = readConnections(net.isIPv6(host) ? '/proc/net/tcp6' : '/proc/net/tcp', port);
  plug.destroy();
  if (lines === undefined) return true;
  const waiting = lines.filter((line) => line.isWaiting);
  // A half-open one may be a client whose last packet was ignored because of the plug: it believes it is connected.
  const hasHalfOpen = lines.some((line) => line.state === SYN_RECEIVED);
  return waiting.length === 1 && waiting[0]?.remotePort === localPort && !hasHalfOpen;
}

const ESTABLISHED = '01';
const SYN_RECEIVED = '03';
const CLOSE_WAIT = '08';

interface ConnectionLine {
  readonly remotePort: number;
  readonly state: string;
  /** In the queue: established, and no process has it (its inode is 0). */
  readonly isWaiting: boolean;
}

/** Open and half-open connections at a local port; undefined where the system does not tell. */
function readConnections(file: string, localPort: number): readonly ConnectionLine[] | undefined {
  try {
    // `0: 0100007F:A06F 0100007F:B122 01 … inode`, in hexadecimal; there are thousands of lines after a busy time.
    const port = localPort.toString(16).toUpperCase().padStart(4, '0');
    const states = [ESTABLISHED, SYN_RECEIVED, CLOSE_WAIT].join('|');
    const line = new RegExp(
      `: \\w+:${port} \\w+:(\\w{4}) (${states}) \\S+ \\S+ \\w+ +\\d+ +\\d+ (\\d+) `,
      'g',
    );
    return [...readFileSync(file, 'latin1').matchAll(line)].map(([, remotePort = '', state = '', inode]) => ({
      remotePort: Number.parseInt(remotePort, 16),
      state,
      isWaiting: inode === '0' && state !== SYN_RECEIVED,
    }));
  } catch {
    return undefined;
  }
}

function peerPortOf(client: RawHandle): number {
  const out: { port?: number } = {};
  client.getpeername?.(out);
  return out.port ?? -1;
}

/** The address to reach a socket of ours, also if it is bound to all addresses. */
function reachableHost(handle: RawServerHandle): string {
  const out: { address?: string } = {};
  handle.getsockname?.(out);
  if (out.address === '0.0.0.0') return '127.0.0.1';
  return out.address === undefined || out.address === '::' ? '::1' : out.address;
}

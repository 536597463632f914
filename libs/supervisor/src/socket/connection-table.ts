import { readFileSync } from 'node:fs';

/** A TCP connection at one of our ports, as the system lists it. */
export interface TableLine {
  readonly remotePort: number;
  /** The handshake is not over on our side; the client may believe that it is. */
  readonly isHalfOpen: boolean;
  /** Established, and no process has accepted it. */
  readonly isQueued: boolean;
}

const ESTABLISHED = '01';
const SYN_RECEIVED = '03';
const CLOSE_WAIT = '08';

/**
 * Connections that are open or half open at a local port, from the system's own table; undefined where there is none
 * (not on Linux). Synchronous, because its caller must not give the event loop a chance to accept.
 */
export function readConnectionTable(family: 4 | 6, localPort: number): readonly TableLine[] | undefined {
  try {
    return parseConnectionTable(
      readFileSync(family === 6 ? '/proc/net/tcp6' : '/proc/net/tcp', 'latin1'),
      localPort,
    );
  } catch {
    return undefined;
  }
}

/**
 * Finds a port's lines: `0: 0100007F:A06F 0100007F:B122 01 …`, addresses, ports and states in hexadecimal, the socket's
 * inode at last, 0 while no process has it. After a busy time there are thousands of lines of closed connections.
 */
export function parseConnectionTable(table: string, localPort: number): readonly TableLine[] {
  const port = localPort.toString(16).toUpperCase().padStart(4, '0');
  const states = [ESTABLISHED, SYN_RECEIVED, CLOSE_WAIT].join('|');
  const line = new RegExp(`: \\w+:${port} \\w+:(\\w{4}) (${states}) \\S+ \\S+ \\w+ +\\d+ +\\d+ (\\d+) `, 'g');
  return [...table.matchAll(line)].map(([, remotePort = '', state, inode]) => ({
    remotePort: Number.parseInt(remotePort, 16),
    isHalfOpen: state === SYN_RECEIVED,
    isQueued: state !== SYN_RECEIVED && inode === '0',
  }));
}

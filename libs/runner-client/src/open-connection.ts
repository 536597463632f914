import { connect, type Socket } from 'node:net';
import { ServeError } from '@bentots/errors';
import { formatAddress, type RunnerAddress } from '@bentots/runner-map';
import { ClientConnection, type Hello } from '@bentots/runner-wire';
import type { RunnerClientConfig } from './compile-options.js';

/** Whom to reach, and what to be told. */
export interface ConnectionTarget {
  readonly runner: string;
  readonly address: RunnerAddress;
  readonly config: RunnerClientConfig;
  /** Gives up before the hello. */
  readonly signal: AbortSignal;
  /** The connection takes no new calls any more, but answers those in flight. */
  onGoAway(): void;
}

/** A connection whose runner has said hello. */
export interface OpenedConnection {
  readonly connection: ClientConnection;
  readonly hello: Hello;
}

/** What the kernel says, in words. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOENT: 'there is no such socket file',
  EACCES: 'permission denied',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name cannot be resolved now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the host does not answer',
  ECONNRESET: 'the connection was reset',
};

/**
 * Connects straight to the address (no proxy setting is ever looked at) and waits for the runner's hello.
 *
 * @throws ServeError `unavailable` naming runner, address and reason; `runner_map_invalid` when another runner is
 * there; `protocol_error` when no runner server is.
 */
export async function openConnection(target: ConnectionTarget): Promise<OpenedConnection> {
  const { runner, config } = target;
  const address = formatAddress(target.address);
  const connection = new ClientConnection(connectSocket(target.address), {
    runner,
    address,
    heartbeatMs: config.heartbeatMs,
    maxMissedBeats: config.maxMissedBeats,
    limits: config.limits,
    onGoAway: () => target.onGoAway(),
  });
  const late = setTimeout(() => {
    connection.destroy(unreachable(target, `no hello within ${config.connectTimeoutMs} ms`));
  }, config.connectTimeoutMs);
  const giveUp = (): void => connection.destroy(unreachable(target, 'the client was closed'));
  target.signal.addEventListener('abort', giveUp, { once: true });
  try {
    const hello = await connection.hello;
    if (hello.runner === runner) return { connection, hello };
    const other = `${address} serves runner '${hello.runner}', not '${runner}'; correct the runner map`;
    throw new ServeError('runner_map_invalid', other, { details: { runner, address, found: hello.runner } });
  } catch (error) {
    connection.destroy();
    throw described(target, error);
  } finally {
    clearTimeout(late);
    target.signal.removeEventListener('abort', giveUp);
  }
}

function connectSocket(address: RunnerAddress): Socket {
  if (address.kind === 'unix') return connect(address.path);
  return connect({ host: address.host, port: address.port });
}

/** The error of a runner that cannot be reached. */
export function unreachable(
  target: Pick<ConnectionTarget, 'runner' | 'address'>,
  reason: string,
  cause?: unknown,
): ServeError {
  const address = formatAddress(target.address);
  return new ServeError(
    'unavailable',
    `runner '${target.runner}' cannot be reached at ${address}: ${reason}`,
    {
      details: { runner: target.runner, address },
      cause,
    },
  );
}

function described(target: ConnectionTarget, error: unknown): ServeError {
  const known = ServeError.from(error);
  if (known.code !== 'unavailable' || known.details !== undefined) return known;
  const { cause } = known;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const words = cause instanceof Error ? cause.message : 'it closed the connection before its hello';
  return unreachable(target, REASONS[code] ?? words, known);
}

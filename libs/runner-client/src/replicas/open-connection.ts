import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ErrorCode, ServeError } from '@bentots/errors';
import { ClientConnection, type Hello } from '@bentots/runner-wire';
import type { RunnerClientConfig } from '../compile-options.js';
import type { Endpoint } from './endpoint.js';
import { explainFailure } from './explain-failure.js';
import type { TroubleKind } from './trouble.js';

/** Whom to reach, and what to be told. */
export interface ConnectionTarget {
  readonly runner: string;
  readonly endpoint: Endpoint;
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

/** Why there is no connection. */
export class ConnectFailure extends Error {
  constructor(
    readonly kind: TroubleKind,
    readonly error: ServeError,
  ) {
    super(error.message, { cause: error });
  }
}

/** What an attempt has come to so far. */
interface Progress {
  /** Somebody listens there; over TLS: and has let this client in, as far as that can be known. */
  isConnected: boolean;
}

/**
 * Connects straight to the endpoint (no proxy setting is ever looked at) and waits for the runner's hello.
 *
 * @throws ConnectFailure with the error for calls: `unavailable` naming runner, address and reason;
 * `runner_map_invalid` when another runner is there, or one with TLS where the map has none, and the reverse;
 * `tls_invalid` when a certificate is refused; `protocol_error` when no runner server is there.
 */
export async function openConnection(target: ConnectionTarget): Promise<OpenedConnection> {
  const { runner, config, endpoint } = target;
  const progress: Progress = { isConnected: false };
  const connection = new ClientConnection(connectSocket(endpoint, config, progress), {
    runner,
    address: endpoint.label,
    heartbeatMs: config.heartbeatMs,
    maxMissedBeats: config.maxMissedBeats,
    limits: config.limits,
    onGoAway: () => target.onGoAway(),
  });
  const late = setTimeout(() => {
    connection.destroy(refusal(target, new Error(`no hello within ${config.attemptTimeoutMs} ms`)));
  }, config.attemptTimeoutMs);
  const giveUp = (): void => connection.destroy(refusal(target, new Error('the client was closed')));
  target.signal.addEventListener('abort', giveUp, { once: true });
  try {
    const hello = await connection.hello;
    if (hello.runner === runner) return { connection, hello };
    const other = `${endpoint.label} serves runner '${hello.runner}', not '${runner}'; correct the runner map`;
    throw new ServeError('runner_map_invalid', other, {
      details: { runner, address: endpoint.label, found: hello.runner },
    });
  } catch (error) {
    connection.destroy();
    throw describe(target, progress, error);
  } finally {
    clearTimeout(late);
    target.signal.removeEventListener('abort', giveUp);
  }
}

function connectSocket(endpoint: Endpoint, config: RunnerClientConfig, progress: Progress): Socket {
  const { address, ip } = endpoint;
  const connected = (): void => void (progress.isConnected = true);
  const socket = address.kind === 'unix' ? connect(address.path) : connectPort(address, ip, config);
  socket.once(address.kind === 'tcps' ? 'secureConnect' : 'connect', connected);
  return socket;
}

function connectPort(
  { kind, host, port }: Exclude<Endpoint['address'], { kind: 'unix' }>,
  ip: string | undefined,
  { tls }: RunnerClientConfig,
): Socket {
  const to = { host: ip ?? host, port };
  if (kind === 'tcp') return connect(to);
  // The certificate is checked against the name in the map, whatever address it was resolved to.
  const name = tls.serverName ?? (ip === undefined || ip === host ? undefined : host);
  return connectTls({
    ...to,
    secureContext: tls.context,
    ...(name !== undefined && { servername: name }),
    rejectUnauthorized: true,
  });
}

/** The error of an attempt that failed with `cause`; without one the connection was closed. */
export function refusal(
  { runner, endpoint }: Pick<ConnectionTarget, 'runner' | 'endpoint'>,
  cause: unknown,
  isConnected = false,
): ServeError {
  const isTls = endpoint.address.kind === 'tcps';
  const { code, words } = explainFailure({ cause, isTls, isConnected });
  return unreachable(runner, endpoint, code, words, cause);
}

function unreachable(
  runner: string,
  { label }: Endpoint,
  code: ErrorCode,
  words: string,
  cause: unknown,
): ServeError {
  const message = `runner '${runner}' cannot be reached at ${label}: ${words}`;
  return new ServeError(code, message, { details: { runner, address: label }, cause });
}

function describe(target: ConnectionTarget, { isConnected }: Progress, thrown: unknown): ConnectFailure {
  const error = ServeError.from(thrown);
  const { runner, endpoint } = target;
  if (error.code !== 'unavailable' && error.code !== 'protocol_error')
    return new ConnectFailure('wrong', error);
  if (endpoint.address.kind !== 'tcps' && error.details?.['speaks'] === 'tls') {
    const words = 'it speaks TLS: write tcps:// instead of tcp:// in the runner map';
    return new ConnectFailure('wrong', unreachable(runner, endpoint, 'runner_map_invalid', words, error));
  }
  if (error.code === 'protocol_error') return new ConnectFailure('wrong', error);
  // What tells only that the connection ended gets a reason; a refusal has its own words.
  const isBare = error.details === undefined && error.message.includes('was lost');
  const told = isBare ? refusal(target, error.cause, isConnected) : error;
  const kind = told.code === 'unavailable' ? (isConnected ? 'silent' : 'absent') : 'wrong';
  return new ConnectFailure(kind, told);
}

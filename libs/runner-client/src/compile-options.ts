import { createSecureContext, type SecureContext } from 'node:tls';
import { ServeError } from '@bentots/errors';
import type { WireLimits } from '@bentots/runner-wire';
import type { EjectionRule } from './balance/ejector.js';
import { type ResolveHost, resolveBySystem } from './replicas/name-watch.js';

/** Where a client tells of connections that come and go; a Logger of the project fits. */
export interface ClientLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** What `tcps://` connections are made with: PEM texts. */
export interface RunnerTls {
  /** Authorities of the runners' certificates. @default those that Node comes with */
  readonly ca?: readonly string[] | undefined;
  /** This side's certificate and chain, for runners that want one. */
  readonly cert?: string | undefined;
  /** Its key. */
  readonly key?: string | undefined;
  /** The name that certificates are checked against. @default the host of the address */
  readonly serverName?: string | undefined;
  /** @default 'TLSv1.2' */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** OpenSSL names. @default Node's */
  readonly ciphers?: string | undefined;
}

/** Options of {@link connectRunner}. */
export interface RunnerClientOptions {
  /**
   * How long a call waits for a connection, within its deadline: a runner that listens and does not serve, because its
   * only worker is being replaced, is waited for. @default 60000
   */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for one attempt to connect, the runner's hello included. @default 5000 */
  readonly attemptTimeoutMs?: number | undefined;
  /** For how long nothing may listen at any replica before calls fail instead of waiting. @default 5000 */
  readonly reconnectLimitMs?: number | undefined;
  /** Calls that may wait for a connection; more are `overloaded`. @default 16384 */
  readonly maxWaiting?: number | undefined;
  /** Silence after which a runner is asked whether it lives. @default 2000 */
  readonly heartbeatMs?: number | undefined;
  /** How often it may leave that unanswered before it counts as dead: no model runs where it is answered. @default 4 */
  readonly maxMissedBeats?: number | undefined;
  /** Connections to all replicas together, but at least one to each. @default 64 */
  readonly maxConnections?: number | undefined;
  /** First pause between attempts to connect; it doubles with each failure. @default 50 */
  readonly minBackoffMs?: number | undefined;
  /** Longest pause between attempts. @default 1000 */
  readonly maxBackoffMs?: number | undefined;
  /** How often host names are resolved again, spread by a fifth; also when a connection fails. @default 30000 */
  readonly resolveEveryMs?: number | undefined;
  /** Resolves a host name to all of its addresses. @default as the system does: `/etc/hosts`, then DNS */
  readonly resolve?: ResolveHost | undefined;
  /** After how many failures in a row a replica is left out, if others serve. @default 5 */
  readonly ejectAfterFailures?: number | undefined;
  /** How long a replica is left out first, a random part of up to a half less; it doubles. @default 1000 */
  readonly minEjectionMs?: number | undefined;
  /** How long at most. @default 60000 */
  readonly maxEjectionMs?: number | undefined;
  /** Certificates for `tcps://` addresses. @default what Node trusts, and no certificate of our own */
  readonly tls?: RunnerTls | undefined;
  /** How long `close()` waits for the calls in flight. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
  /** Limits of the wire. */
  readonly limits?: Partial<WireLimits> | undefined;
  /** From 0 to 1, spreads the pauses. @default Math.random */
  readonly random?: (() => number) | undefined;
  /** @default silent */
  readonly log?: ClientLog | undefined;
}

/** {@link RunnerClientOptions}, filled up. */
export interface RunnerClientConfig {
  readonly connectTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly reconnectLimitMs: number;
  readonly maxWaiting: number;
  readonly resolveEveryMs: number;
  readonly resolve: ResolveHost;
  readonly ejection: EjectionRule;
  readonly tls: { readonly context: SecureContext; readonly serverName: string | undefined };
  readonly heartbeatMs: number;
  readonly maxMissedBeats: number;
  readonly maxConnections: number;
  readonly minBackoffMs: number;
  readonly maxBackoffMs: number;
  readonly closeTimeoutMs: number;
  readonly limits: Partial<WireLimits>;
  readonly random: () => number;
  readonly log: ClientLog;
}

const SILENT: ClientLog = { info: () => undefined, warn: () => undefined };

/** Fills in the defaults. */
export function compileClientOptions(options: RunnerClientOptions = {}): RunnerClientConfig {
  const random = options.random ?? Math.random;
  return Object.freeze({
    connectTimeoutMs: options.connectTimeoutMs ?? 60_000,
    attemptTimeoutMs: options.attemptTimeoutMs ?? 5000,
    reconnectLimitMs: options.reconnectLimitMs ?? 5000,
    maxWaiting: options.maxWaiting ?? 16_384,
    resolveEveryMs: options.resolveEveryMs ?? 30_000,
    resolve: options.resolve ?? resolveBySystem,
    ejection: {
      afterFailures: options.ejectAfterFailures ?? 5,
      minMs: options.minEjectionMs ?? 1000,
      maxMs: options.maxEjectionMs ?? 60_000,
      random,
    },
    tls: compileTls(options.tls),
    heartbeatMs: options.heartbeatMs ?? 2000,
    maxMissedBeats: options.maxMissedBeats ?? 4,
    maxConnections: options.maxConnections ?? 64,
    minBackoffMs: options.minBackoffMs ?? 50,
    maxBackoffMs: options.maxBackoffMs ?? 1000,
    closeTimeoutMs: options.closeTimeoutMs ?? 5000,
    limits: options.limits ?? {},
    random,
    log: options.log ?? SILENT,
  });
}

/** One context for all connections: certificates are read once. @throws ServeError `tls_invalid` */
function compileTls(tls: RunnerTls = {}): RunnerClientConfig['tls'] {
  const { ca, cert, key, minVersion = 'TLSv1.2', ciphers, serverName } = tls;
  try {
    const context = createSecureContext({
      minVersion,
      ...(ca && { ca: [...ca] }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(ciphers !== undefined && { ciphers }),
    });
    return { context, serverName };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ServeError('tls_invalid', `certificates for runners cannot be used: ${reason}`, { cause });
  }
}

import type { WireLimits } from '@bentots/runner-wire';

/** Where a client tells of connections that come and go; a Logger of the project fits. */
export interface ClientLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Options of {@link connectRunner}. */
export interface RunnerClientOptions {
  /** Time for connecting, the runner's hello included; also how long a call waits for one attempt. @default 5000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Silence after which a runner is asked whether it lives. @default 5000 */
  readonly heartbeatMs?: number | undefined;
  /**
   * How often it may leave that unanswered before it counts as dead. The default gives a synchronous model, which
   * answers nothing while it computes, the minute that its supervisor gives it too. @default 11
   */
  readonly maxMissedBeats?: number | undefined;
  /** Connections to all replicas together, but at least one to each. @default 64 */
  readonly maxConnections?: number | undefined;
  /** First pause between attempts to connect; it doubles with each failure. @default 50 */
  readonly minBackoffMs?: number | undefined;
  /** Longest pause between attempts. @default 1000 */
  readonly maxBackoffMs?: number | undefined;
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
  return Object.freeze({
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
    heartbeatMs: options.heartbeatMs ?? 5000,
    maxMissedBeats: options.maxMissedBeats ?? 11,
    maxConnections: options.maxConnections ?? 64,
    minBackoffMs: options.minBackoffMs ?? 50,
    maxBackoffMs: options.maxBackoffMs ?? 1000,
    closeTimeoutMs: options.closeTimeoutMs ?? 5000,
    limits: options.limits ?? {},
    random: options.random ?? Math.random,
    log: options.log ?? SILENT,
  });
}

import type { LogConfig } from '@bentots/config';
import type { BoundSocket, Plan } from '@bentots/supervisor';

import type { WatchedService } from './watch-service.js';

/** Where a server that is ready can be reached; the numbers are the true ones, also for port 0. */
export interface Announcement {
  readonly addresses: readonly BoundSocket[];
  /** `http://…`, `https://…`, `grpc://…`, `grpcs://…`, or `tcp://…` as a runner map takes it. */
  readonly url: string;
  /** Where Prometheus reads; absent when there is no such place. */
  readonly metricsUrl?: string;
  /** The gRPC edge of `serve`. */
  readonly grpcUrl?: string;
}

/** Says where the bound sockets can be reached, for programs and for the log. */
export type Announce = (sockets: readonly BoundSocket[]) => {
  readonly facts: Announcement;
  readonly lines: readonly string[];
};

/** A server that is checked and planned, and not started. */
export interface Prepared {
  /** What the supervisor runs: data, the same that `--dry-run` prints. */
  readonly plan: Plan;
  readonly log: LogConfig;
  /** Whether metrics are kept, because there is a place where they can be read. */
  readonly metrics: boolean;
  /** Logged before the processes start. */
  readonly startLine: string;
  /** Called once, when everything is ready. */
  readonly announce: Announce;
  /** A directory that must exist, private to this user, as long as the server runs. */
  readonly runtimeDir?: string;
  /** Of the service's description: workers tell theirs when they are ready. */
  readonly fingerprint: string;
  /** The service whose files replace the workers when they change; absent: none. */
  readonly watched?: WatchedService;
}

/** Makes a {@link Prepared}, also again for the same tree; `deploy` is true once, when it is really started. */
export type Prepare = (how: { readonly deploy: boolean; readonly signal?: AbortSignal }) => Promise<Prepared>;

import type { SupervisorEvent } from './events.js';
import type { MetricsSink } from './metrics-hub.js';
import type { Plan } from './plan.js';
import type { GivenDescriptors } from './socket/adopt-descriptor.js';

/** What an arbiter tells and uses. */
export interface ArbiterOptions {
  /** Told everything that happens; must not throw. */
  onEvent?(event: SupervisorEvent): void;
  /** Merges the metrics of the workers. @default none: workers that ask get an empty text */
  readonly metrics?: MetricsSink;
  /**
   * Makes the plan anew for a reload. Watchers may change all but their names and sockets, sockets nothing at all.
   * @default a reload keeps the plan
   */
  readonly replan?: () => Promise<Plan>;
  /** Listening sockets that this process was started with, by the name that `SocketSpec.inherit` calls. @default none */
  readonly listenFds?: GivenDescriptors;
}

/** How a tree is stopped. */
export interface StopOptions {
  /**
   * Whether somebody waits at a terminal: no lame-duck time, and idle connections are closed after half a second,
   * though a request may just be coming on one of them. @default false: no request is lost
   */
  readonly hurry?: boolean;
}

/** How a runner is reached from this process, at this moment; numbers of calls only ever grow. */
export interface RunnerStats {
  readonly runner: string;
  readonly replicas: readonly ReplicaStats[];
  /** Calls that wait until there is a connection. */
  readonly waiting: number;
  /** Calls that were made a second time. */
  readonly repeated: number;
}

/** One replica. */
export interface ReplicaStats {
  /** `tcp://10.0.0.1:4001`, `tcp://classifier:4001 (10.0.0.2)`, `unix:///run/a.sock`. */
  readonly address: string;
  /** `down`: no connection is open. `ejected`: open, and left out because its calls failed. */
  readonly state: 'up' | 'down' | 'ejected';
  /** Open ones. */
  readonly connections: number;
  readonly inFlight: number;
  /** Calls that were answered well. */
  readonly served: number;
  /** Calls that failed in a way that makes the replica suspect. */
  readonly failed: number;
  /** How often it was left out, failed trials among them. */
  readonly ejections: number;
}

import type { Hello } from '@bentots/runner-wire';
import { type Candidate, Health } from '../balance/ejector.js';
import { Lane } from '../balance/lane.js';
import type { RunnerClientConfig } from '../compile-options.js';
import type { ReplicaStats } from '../stats.js';
import { Channel, type ChannelOwner } from './channel.js';
import type { Endpoint } from './endpoint.js';
import { type Failure, nextTrouble, type Trouble } from './trouble.js';

/** What a replica tells its owner. */
export interface ReplicaOwner {
  readonly runner: string;
  readonly config: RunnerClientConfig;
  /** The number of this moment. */
  tick(): number;
  /** Connections of a replica, at most. */
  readonly maxConnections: number;
  /** Calls can be made on one more connection. */
  onOpen(): void;
  onFailure(replica: Replica): void;
  onDown(replica: Replica): void;
}

/** How long a replica that was left out may take to say that it is ready. */
const PROBE_TIMEOUT_MS = 1000;

/** What listens at one endpoint, over as many connections as it has workers. */
export class Replica implements ChannelOwner, Candidate {
  readonly endpoint: Endpoint;
  readonly health = new Health();
  /** Connections that calls can be made on. */
  lanes: readonly Lane[] = [];
  /** The last failed attempt to connect, until one succeeds. */
  trouble: Trouble | undefined;
  readonly #owner: ReplicaOwner;
  readonly #channels: Channel[];

  constructor(owner: ReplicaOwner, endpoint: Endpoint) {
    this.#owner = owner;
    this.endpoint = endpoint;
    this.#channels = [new Channel(this)];
  }

  get runner(): string {
    return this.#owner.runner;
  }

  get config(): RunnerClientConfig {
    return this.#owner.config;
  }

  /** Calls that wait for their answer. */
  get inFlight(): number {
    return this.#channels.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** Begins to connect, unless it has. */
  start(): void {
    for (const channel of this.#channels) channel.start();
  }

  /** Looks which connections are open. */
  collect(): void {
    this.lanes = this.#channels.flatMap(({ connection }) => {
      if (connection === undefined) return [];
      return this.lanes.find((lane) => lane.connection === connection) ?? new Lane(connection, this);
    });
  }

  /** Takes no more calls and ends with those in flight; `signal` cuts them off. */
  async close(signal?: AbortSignal): Promise<void> {
    this.lanes = [];
    await Promise.all(this.#channels.map((channel) => channel.close(signal)));
  }

  async probe(): Promise<boolean> {
    const [lane] = this.lanes;
    return lane === undefined ? false : lane.connection.ping(AbortSignal.timeout(PROBE_TIMEOUT_MS));
  }

  stats(): ReplicaStats {
    const { standing, served, failed, ejections } = this.health;
    return {
      address: this.endpoint.label,
      state: this.lanes.length === 0 ? 'down' : standing === 'in' ? 'up' : 'ejected',
      connections: this.lanes.length,
      inFlight: this.inFlight,
      served,
      failed,
      ejections,
    };
  }

  tick(): number {
    return this.#owner.tick();
  }

  onOpen(hello: Hello): void {
    this.trouble = undefined;
    this.collect();
    this.#grow(hello.workers);
    this.#owner.onOpen();
  }

  onFailure(failure: Failure): void {
    // While another connection is open, this is no trouble for calls.
    if (this.lanes.length === 0) this.trouble = nextTrouble(this.trouble, failure, performance.now());
    this.#owner.onFailure(this);
  }

  onDown(): void {
    this.collect();
    this.#owner.onDown(this);
  }

  #grow(workers: number): void {
    const wanted = Math.min(workers, this.#owner.maxConnections);
    while (this.#channels.length < wanted) {
      const channel = new Channel(this);
      this.#channels.push(channel);
      channel.start();
    }
  }
}

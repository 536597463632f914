import type { ServeError } from '@bentots/errors';
import type { RunnerAddress } from '@bentots/runner-map';
import { Ejector } from '../balance/ejector.js';
import type { RunnerClientConfig } from '../compile-options.js';
import type { Endpoint } from './endpoint.js';
import { Place } from './place.js';
import { Replica } from './replica.js';
import { type GiveUp, planGiveUp, type Trouble } from './trouble.js';

/** What a set of replicas tells its owner. */
export interface ReplicaSetOwner {
  readonly runner: string;
  readonly config: RunnerClientConfig;
  /** Which connections can be used has changed. */
  onLanes(): void;
  /** An attempt has failed with `error`: who came before these moments waits in vain. */
  onGiveUp(giveUp: GiveUp, error: ServeError): void;
}

/** All replicas of a runner: those the map names, and those its host names stand for at the time. */
export class ReplicaSet {
  readonly places: readonly Place[];
  readonly ejector: Ejector<Replica>;
  readonly #owner: ReplicaSetOwner;
  readonly #leaving = new Set<Replica>();
  #replicas: readonly Replica[] = [];
  #ticks = 0;
  #isStarted = false;

  constructor(owner: ReplicaSetOwner, addresses: readonly RunnerAddress[]) {
    this.#owner = owner;
    this.places = addresses.map((address) => new Place(this, address));
    const { ejection } = owner.config;
    this.ejector = new Ejector(
      ejection,
      () => this.#replicas,
      (replica) => this.#onStanding(replica),
    );
    this.#sync();
  }

  get runner(): string {
    return this.#owner.runner;
  }

  get config(): RunnerClientConfig {
    return this.#owner.config;
  }

  get replicas(): readonly Replica[] {
    return this.#replicas;
  }

  get maxConnections(): number {
    return Math.max(1, Math.floor(this.config.maxConnections / Math.max(1, this.#replicas.length)));
  }

  /** The number of this moment. */
  tick(): number {
    this.#ticks += 1;
    return this.#ticks;
  }

  /** Begins to resolve and to connect, unless it has. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const place of this.places) place.start();
    for (const replica of this.#replicas) replica.start();
  }

  /** Looks again at which connections are open: one may have ended without having told. */
  collect(): void {
    for (const replica of this.#replicas) replica.collect();
  }

  async close(signal: AbortSignal): Promise<void> {
    for (const place of this.places) place.stop();
    const all = [...this.#replicas, ...this.#leaving];
    for (const replica of all) this.ejector.forget(replica);
    await Promise.all(all.map((replica) => replica.close(signal)));
  }

  onEndpoints(): void {
    this.#sync();
    this.#owner.onLanes();
  }

  onUnknown(): void {
    this.#giveUp();
  }

  onOpen(): void {
    this.#owner.onLanes();
  }

  onFailure(replica: Replica): void {
    this.#refresh(replica);
    this.#giveUp();
  }

  onDown(replica: Replica): void {
    this.#refresh(replica);
    this.#owner.onLanes();
  }

  #giveUp(): void {
    // A name that is not resolved yet may bring a replica that serves.
    const names = this.places.filter(({ endpoints }) => endpoints.length === 0);
    const troubles = [...this.#replicas, ...names].map(({ trouble }) => trouble);
    const last = latestOf(troubles);
    if (last === undefined) return;
    const giveUp = planGiveUp(troubles, performance.now(), this.config.reconnectLimitMs);
    this.#owner.onGiveUp(giveUp, last.error);
  }

  #refresh(replica: Replica): void {
    const { key } = replica.endpoint;
    for (const place of this.places) {
      if (place.endpoints.some((endpoint) => endpoint.key === key)) place.refresh();
    }
  }

  /** Connects to endpoints that are new, and lets go of those that are gone. */
  #sync(): void {
    const wanted = new Map<string, Endpoint>();
    for (const endpoint of this.places.flatMap(({ endpoints }) => endpoints)) {
      if (!wanted.has(endpoint.key)) wanted.set(endpoint.key, endpoint);
    }
    const before = this.#replicas;
    const kept = before.filter(({ endpoint }) => wanted.has(endpoint.key));
    const known = new Set(kept.map(({ endpoint }) => endpoint.key));
    const added = [...wanted.values()]
      .filter(({ key }) => !known.has(key))
      .map((endpoint) => new Replica(this, endpoint));
    this.#replicas = [...kept, ...added];
    for (const replica of before) if (!kept.includes(replica)) this.#letGo(replica);
    if (!this.#isStarted) return;
    for (const replica of added) replica.start();
  }

  #letGo(replica: Replica): void {
    const { runner, config } = this.#owner;
    config.log.info(`runner '${runner}' has left ${replica.endpoint.label}`, {
      runner,
      address: replica.endpoint.label,
    });
    this.ejector.forget(replica);
    this.#leaving.add(replica);
    void replica.close().then(() => this.#leaving.delete(replica));
  }

  #onStanding({ endpoint, health }: Replica): void {
    const { runner, config } = this.#owner;
    const facts = { runner, address: endpoint.label, failures: health.inRow, ejections: health.ejections };
    if (health.standing === 'out' && health.level === 1) {
      config.log.warn(
        `runner '${runner}' at ${endpoint.label} is left out: ${health.inRow} calls failed in a row`,
        facts,
      );
    }
    if (health.standing === 'in') {
      config.log.info(`runner '${runner}' at ${endpoint.label} serves again`, facts);
    }
    this.#owner.onLanes();
  }
}

function latestOf(troubles: readonly (Trouble | undefined)[]): Trouble | undefined {
  const known = troubles.flatMap((trouble) => trouble ?? []);
  return known.sort((a, b) => b.begunAt - a.begunAt)[0];
}

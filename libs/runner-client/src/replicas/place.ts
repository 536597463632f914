import type { RunnerAddress } from '@bentots/runner-map';
import type { RunnerClientConfig } from '../compile-options.js';
import { type Endpoint, endpointOf, nameOf } from './endpoint.js';
import { NameWatch } from './name-watch.js';
import { refusal } from './open-connection.js';
import { nextTrouble, type Trouble } from './trouble.js';

/** What a place is told by and tells. */
export interface PlaceOwner {
  readonly runner: string;
  readonly config: RunnerClientConfig;
  /** The number of this moment. */
  tick(): number;
  /** The endpoints are others now. */
  onEndpoints(): void;
  /** The name cannot be resolved, and never could. */
  onUnknown(): void;
}

/** One entry of the runner map: an endpoint, or a host name and all that it stands for. */
export class Place {
  readonly address: RunnerAddress;
  /** Where to connect to now; empty while a name is not resolved. */
  endpoints: readonly Endpoint[] = [];
  /** Why a name is not resolved. */
  trouble: Trouble | undefined;
  readonly #owner: PlaceOwner;
  readonly #watch: NameWatch | undefined;
  #isWarned = false;

  constructor(owner: PlaceOwner, address: RunnerAddress) {
    this.#owner = owner;
    this.address = address;
    const host = nameOf(address);
    if (host === undefined) this.endpoints = [endpointOf(address)];
    else this.#watch = this.#createWatch(host);
  }

  /** Begins to resolve, if there is a name. */
  start(): void {
    this.#watch?.start();
  }

  /** A connection has failed: the name may stand for something else by now. */
  refresh(): void {
    this.#watch?.refresh();
  }

  stop(): void {
    this.#watch?.stop();
  }

  #createWatch(host: string): NameWatch {
    const { config } = this.#owner;
    return new NameWatch({
      host,
      resolve: config.resolve,
      everyMs: config.resolveEveryMs,
      backoff: config,
      begin: () => this.#owner.tick(),
      onAddresses: (ips) => this.#onAddresses(ips),
      onFailure: (error, begunAt) => this.#onFailure(error, begunAt),
    });
  }

  #onAddresses(ips: readonly string[]): void {
    this.trouble = undefined;
    this.#isWarned = false;
    const known = this.endpoints.map(({ ip }) => ip);
    if (ips.length === known.length && ips.every((ip, i) => ip === known[i])) return;
    this.endpoints = ips.map((ip) => endpointOf(this.address, ip));
    this.#owner.onEndpoints();
  }

  #onFailure(cause: unknown, begunAt: number): void {
    const { runner, config } = this.#owner;
    const error = refusal({ runner, endpoint: endpointOf(this.address) }, cause);
    if (!this.#isWarned) config.log.warn(error.message, { ...error.details, code: error.code });
    this.#isWarned = true;
    if (this.endpoints.length > 0) return;
    this.trouble = nextTrouble(this.trouble, { kind: 'absent', error, begunAt }, performance.now());
    this.#owner.onUnknown();
  }
}

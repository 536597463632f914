import type { Replica } from '../replicas/replica.js';
import type { Lane } from './lane.js';
import { pickLeast } from './pick.js';

/** Chooses connections for calls: the one with the least work in flight, of replicas that are not left out. */
export class LaneChoice {
  /** All that calls can be made on. */
  lanes: readonly Lane[] = [];
  /** Those of replicas that are not left out; all, when every replica that can be reached is. */
  #regular: readonly Lane[] = [];
  #onTrial: readonly Replica[] = [];
  #turn: number;

  /** `turn`: where to begin among equals. */
  constructor(turn: number) {
    this.#turn = turn;
  }

  /** Connections have come or gone, or a replica's standing is another. */
  update(replicas: readonly Replica[]): void {
    this.lanes = replicas.flatMap(({ lanes }) => lanes);
    const regular = this.lanes.filter(({ replica }) => replica.health.standing === 'in');
    this.#regular = regular.length > 0 ? regular : this.lanes;
    this.#onTrial = replicas.filter(({ health, lanes }) => health.standing === 'trial' && lanes.length > 0);
  }

  /** Undefined when none is open. Away from the replica of `tried` if possible, at least on another connection. */
  pick(tried?: Lane): Lane | undefined {
    if (tried !== undefined) return this.#pickOther(tried);
    // One call at a time shows whether a replica that was left out serves again.
    const onTrial =
      this.#onTrial.length === 0 ? undefined : this.#onTrial.find(({ inFlight }) => inFlight === 0);
    if (onTrial !== undefined) return onTrial.lanes[0];
    return this.#least(this.#regular);
  }

  #pickOther(tried: Lane): Lane | undefined {
    const elsewhere = this.#regular.filter(({ replica }) => replica !== tried.replica);
    if (elsewhere.length > 0) return this.#least(elsewhere);
    const others = this.lanes.filter((lane) => lane !== tried);
    return this.#least(others.length > 0 ? others : this.lanes);
  }

  #least(lanes: readonly Lane[]): Lane | undefined {
    const index = pickLeast(lanes, this.#turn);
    this.#turn = index + 1;
    return lanes[index];
  }
}

import type { ClientConnection } from '@bentots/runner-wire';
import type { Replica } from '../replicas/replica.js';

/** An open connection that calls can be made on, and the replica at its end. */
export class Lane {
  /** Whether its end was counted as a failure of the replica: it fails all calls in flight, and is one. */
  isLossCounted = false;

  constructor(
    readonly connection: ClientConnection,
    readonly replica: Replica,
  ) {}

  /** Calls that wait for their answer. */
  get inFlight(): number {
    return this.connection.inFlight;
  }
}

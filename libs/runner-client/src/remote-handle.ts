import { ServeError } from '@bentots/errors';
import { formatAddress, type RunnerAddress } from '@bentots/runner-map';
import { progressOf } from '@bentots/runner-wire';
import type { HandleCallOptions, RunnerHandle, RunnerValue } from '@bentots/service';
import { isReplicaFailure } from './balance/is-replica-failure.js';
import type { Lane } from './balance/lane.js';
import { LaneChoice } from './balance/lane-choice.js';
import {
  compileClientOptions,
  type RunnerClientConfig,
  type RunnerClientOptions,
} from './compile-options.js';
import { RemoteStream, type StreamSource } from './remote-stream.js';
import { ReplicaSet, type ReplicaSetOwner } from './replicas/replica-set.js';
import type { GiveUp } from './replicas/trouble.js';
import type { RunnerStats } from './stats.js';
import { WaitingRoom, type WaitReason } from './waiting-room.js';

/** A runner that is reached over connections. */
export interface RemoteRunner extends RunnerHandle {
  /** How it is reached now: for metrics and for people. */
  stats(): RunnerStats;
}

/**
 * A handle to the runner `name` at its replicas. Nothing is connected before the first call or question for readiness;
 * from then on each replica has as many connections as it has workers, and lost ones come back by themselves. A host
 * name stands for as many replicas as it has addresses, and is resolved again and again.
 *
 * A call goes to the connection with the least work in flight, not to replicas whose calls fail in a row. One that
 * failed before any of it ran is made once more elsewhere, within its deadline; one that may have run only when it is
 * idempotent.
 *
 * @throws ServeError `runner_map_invalid` when there is no address, `tls_invalid` when certificates cannot be used.
 */
export function connectRunner(
  name: string,
  addresses: readonly RunnerAddress[],
  options: RunnerClientOptions = {},
): RemoteRunner {
  if (addresses.length === 0) {
    throw new ServeError('runner_map_invalid', `runner '${name}' has no address; expected at least one`);
  }
  return new RemoteHandle(name, addresses, compileClientOptions(options));
}

class RemoteHandle implements RemoteRunner, ReplicaSetOwner, StreamSource {
  readonly runner: string;
  readonly config: RunnerClientConfig;
  readonly #set: ReplicaSet;
  readonly #choice: LaneChoice;
  readonly #waiting: WaitingRoom<Lane>;
  #repeated = 0;
  #lastError: ServeError | undefined;
  #closing: Promise<void> | undefined;

  constructor(runner: string, addresses: readonly RunnerAddress[], config: RunnerClientConfig) {
    this.runner = runner;
    this.config = config;
    this.#set = new ReplicaSet(this, addresses);
    // So that many API workers do not all begin with the same replica.
    this.#choice = new LaneChoice(Math.floor(config.random() * 64));
    this.#waiting = new WaitingRoom(config.maxWaiting);
  }

  run(method: string, args: readonly RunnerValue[], options: HandleCallOptions): Promise<RunnerValue> {
    const lane = this.#pick();
    if (lane !== undefined) return this.#attempt(lane, method, args, options);
    return this.lane(options).then((opened) => this.#attempt(opened, method, args, options));
  }

  stream(
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
  ): AsyncIterableIterator<RunnerValue, undefined> {
    return new RemoteStream(this, method, args, options);
  }

  async isReady(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#waitFor('question', { signal });
    } catch {
      return false;
    }
    const asked = this.#choice.lanes.map(({ connection }) => connection.ping(signal));
    // The first that is ready decides; all must have answered for a no.
    const ready = asked.map((answer) =>
      answer.then((yes) => (yes ? yes : Promise.reject(new Error('not ready')))),
    );
    return Promise.any(ready).catch(() => false);
  }

  stats(): RunnerStats {
    return {
      runner: this.runner,
      replicas: this.#set.replicas.map((replica) => replica.stats()),
      waiting: this.#waiting.size,
      repeated: this.#repeated,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async lane(options: HandleCallOptions, tried?: Lane): Promise<Lane> {
    const lane = await this.#waitFor('call', options, tried);
    if (tried !== undefined) this.#repeated += 1;
    return lane;
  }

  mayRepeat(error: unknown, options: HandleCallOptions): boolean {
    const progress = progressOf(error);
    const safe = progress === 'not_started' || (progress === 'unknown' && options.idempotent === true);
    return safe && this.#closing === undefined;
  }

  onServed(lane: Lane): void {
    this.#set.ejector.served(lane.replica);
  }

  onFailed(lane: Lane, error: unknown): void {
    if (!isReplicaFailure(error)) return;
    const isLoss = progressOf(error) === 'unknown';
    if (isLoss && lane.isLossCounted) return;
    lane.isLossCounted ||= isLoss;
    this.#set.ejector.failed(lane.replica);
  }

  onLanes(): void {
    this.#choice.update(this.#set.replicas);
    this.#waiting.admit(() => this.#pick());
  }

  onGiveUp(giveUp: GiveUp, error: ServeError): void {
    this.#lastError = error;
    this.#waiting.refuse('call', giveUp.calls, () => copyOf(error));
    this.#waiting.refuse('question', giveUp.questions, () => copyOf(error));
  }

  /** Few steps: this is the way of every call. */
  #attempt(
    lane: Lane,
    method: string,
    args: readonly RunnerValue[],
    options: HandleCallOptions,
    isRepeated = false,
  ): Promise<RunnerValue> {
    return lane.connection.call(method, args, options).then(
      (value) => {
        this.onServed(lane);
        return value;
      },
      async (error: unknown) => {
        this.onFailed(lane, error);
        if (isRepeated || !this.mayRepeat(error, options)) throw error;
        const other = await this.lane(options, lane).catch(() => undefined);
        if (other === undefined) throw error;
        return this.#attempt(other, method, args, options, true);
      },
    );
  }

  /** A connection to make a call on, on another replica than that of `tried` if there is one; waits if need be. */
  #waitFor(reason: WaitReason, options: HandleCallOptions, tried?: Lane): Promise<Lane> {
    if (this.#closing !== undefined) return Promise.reject(this.#closedError());
    const lane = this.#pick(tried);
    if (lane !== undefined) return Promise.resolve(lane);
    const since = this.#set.tick();
    this.#set.start();
    return this.#waiting.wait({
      reason,
      since,
      signal: options.signal,
      deadline: options.deadline,
      timeoutMs: this.config.connectTimeoutMs,
      tooLate: (bound) => this.#tooLate(bound),
      tooMany: () => this.#tooMany(),
    });
  }

  #pick(tried?: Lane): Lane | undefined {
    const lane = this.#choice.pick(tried);
    if (lane === undefined || lane.connection.isAccepting) return lane;
    // It has ended in this very turn, and its channel does not know yet.
    this.#set.collect();
    this.#choice.update(this.#set.replicas);
    return this.#pick(tried);
  }

  async #close(): Promise<void> {
    for (const reason of ['call', 'question'] as const) {
      this.#waiting.refuse(reason, Infinity, () => this.#closedError());
    }
    await this.#set.close(AbortSignal.timeout(this.config.closeTimeoutMs));
  }

  #closedError(): ServeError {
    return new ServeError(
      'unavailable',
      `the connection to runner '${this.runner}' is closed in this process`,
    );
  }

  #tooMany(): ServeError {
    const words = `${this.config.maxWaiting} calls wait for a connection to runner '${this.runner}'`;
    return new ServeError('overloaded', words, { details: { runner: this.runner } });
  }

  #tooLate(bound: 'deadline' | 'timeout'): ServeError {
    const over = bound === 'deadline';
    if (!over && this.#lastError !== undefined) return copyOf(this.#lastError);
    const places = this.#set.places.map(({ address }) => formatAddress(address)).join(', ');
    const why = this.#lastError === undefined ? '' : `; the last attempt: ${this.#lastError.message}`;
    return new ServeError(
      over ? 'deadline_exceeded' : 'unavailable',
      `runner '${this.runner}' could not be reached in time at ${places}${why}`,
      { details: { runner: this.runner } },
    );
  }
}

/** One failure of a connection fails many calls; each gets an error of its own. */
function copyOf(error: ServeError): ServeError {
  const { details } = error;
  return new ServeError(error.code, error.message, { ...(details && { details }), cause: error });
}

import { pickLeastLoaded } from './pick-worker.js';
import type { WorkerProcess } from './process/worker-process.js';
import type { RawHandle } from './socket/raw-handle.js';

/** Connections that wait for a ready worker; more than so many are closed, as the kernel does with a full backlog. */
const MAX_PARKED = 4096;

interface Parcel {
  readonly id: number;
  readonly client: RawHandle;
  readonly to: WorkerProcess;
}

/** Parcels of all sockets of a process are counted together, so that a number names one of them. */
let lastParcelId = 0;

/**
 * Hands connections of one socket to workers. A connection belongs to exactly one of: the kernel's queue, a parcel
 * here, a worker. A parcel is kept open here until the worker says that it took it; if the worker dies first, another
 * one gets it, and the client notices nothing.
 */
export class Balancer {
  readonly #parcels = new Map<number, Parcel>();
  readonly #parked: RawHandle[] = [];
  readonly #settled = new Map<WorkerProcess, (() => void)[]>();

  /** `workers` are the processes that serve this socket, in any state. */
  constructor(
    private readonly socket: string,
    private readonly workers: () => readonly WorkerProcess[],
  ) {}

  /** Connections that no worker has taken yet. */
  get pending(): number {
    return this.#parked.length + this.#parcels.size;
  }

  /** Gives a connection to the least loaded worker, or keeps it until one is ready. */
  readonly take = (client: RawHandle): void => {
    const to = this.#pick();
    if (to === undefined && this.#parked.length >= MAX_PARKED) client.close();
    else if (to === undefined) this.#parked.push(client);
    else this.#hand(client, to);
  };

  /** A worker became ready: those who wait are served. */
  onReady(): void {
    for (const client of this.#parked.splice(0)) this.take(client);
  }

  /** A worker has taken a parcel: it is no longer ours. */
  onTaken(id: number, worker: WorkerProcess): void {
    const parcel = this.#parcels.get(id);
    if (parcel?.to !== worker) return;
    this.#parcels.delete(id);
    parcel.client.close();
    this.#checkSettled(parcel.to);
  }

  /** A worker is gone: what it did not take goes to another one. */
  onGone(worker: WorkerProcess): void {
    const lost = [...this.#parcels.values()].filter((parcel) => parcel.to === worker);
    for (const parcel of lost) this.#parcels.delete(parcel.id);
    this.#checkSettled(worker);
    for (const parcel of lost) this.take(parcel.client);
  }

  /** Resolves when no parcel is on its way to the worker. */
  settled(worker: WorkerProcess): Promise<void> {
    return new Promise((resolve) => {
      this.#settled.set(worker, [...(this.#settled.get(worker) ?? []), resolve]);
      this.#checkSettled(worker);
    });
  }

  /** Closes what nobody took; the tree has ended. */
  close(): void {
    for (const client of this.#parked.splice(0)) client.close();
    for (const parcel of this.#parcels.values()) parcel.client.close();
    this.#parcels.clear();
  }

  /** Draining workers are better than nobody while they may still be given connections. */
  #pick(): WorkerProcess | undefined {
    const workers = this.workers().filter((worker) => worker.hasChannel);
    const ready = workers.filter((worker) => worker.state === 'ready');
    if (ready.length > 0) return pickLeastLoaded(ready);
    return pickLeastLoaded(workers.filter((worker) => worker.canStillTake));
  }

  #hand(client: RawHandle, to: WorkerProcess): void {
    const id = ++lastParcelId;
    this.#parcels.set(id, { id, client, to });
    to.connections += 1;
    to.handed += 1;
    // If its channel is closed it is about to be reported as gone, and `onGone` hands the parcel to another one.
    to.send({ supervisor: 'connection', id, socket: this.socket }, client);
  }

  #checkSettled(worker: WorkerProcess): void {
    const waiting = this.#settled.get(worker);
    if (waiting === undefined || [...this.#parcels.values()].some((parcel) => parcel.to === worker)) return;
    this.#settled.delete(worker);
    for (const resolve of waiting) resolve();
  }
}

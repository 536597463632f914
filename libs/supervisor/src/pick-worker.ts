/** What the choice needs to know about a worker. */
export interface Load {
  /** Connections that it has now. */
  readonly connections: number;
  /** Connections that it was ever given. */
  readonly handed: number;
}

/** The worker with the fewest connections; among equals the one that was given the fewest so far. */
export function pickLeastLoaded<W extends Load>(workers: readonly W[]): W | undefined {
  return workers.reduce<W | undefined>((best, worker) => {
    if (best === undefined || worker.connections < best.connections) return worker;
    return worker.connections === best.connections && worker.handed < best.handed ? worker : best;
  }, undefined);
}

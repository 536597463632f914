import { CrashLoops, type LoopingWatcher } from './crash-loops.js';
import type { SupervisorEvent } from './events.js';
import type { TreeHealth } from './ipc.js';

/** What the news of a tree are made from. */
export interface NewsSource {
  readonly isLameDuck: boolean;
  readonly watchers: readonly {
    readonly name: string;
    readonly readyProcesses: readonly unknown[];
    tell(health: TreeHealth): void;
  }[];
}

/** Knows what workers are told about their tree, learned from its events, and tells them all when it has changed. */
export class TreeNews {
  readonly #crashLoops: CrashLoops;
  #wasLameDuck = false;
  #told = '';

  constructor(
    watchers: readonly LoopingWatcher[],
    private readonly source: NewsSource,
  ) {
    this.#crashLoops = new CrashLoops(watchers, () => this.#tell());
  }

  /** As it is now. */
  get health(): TreeHealth {
    const ready = this.source.watchers.map(
      ({ name, readyProcesses }) => [name, readyProcesses.length] as const,
    );
    return {
      lameDuck: this.#wasLameDuck,
      crashLooping: this.#crashLoops.watchers,
      ready: Object.fromEntries(ready),
    };
  }

  /** Takes the next event; every change of a worker's state is one. */
  observe(event: SupervisorEvent): void {
    // A tree that was a lame duck never becomes another thing again, also while it stops.
    this.#wasLameDuck ||= this.source.isLameDuck;
    this.#crashLoops.observe(event);
    this.#tell();
  }

  /** Nothing is told any more. */
  close(): void {
    this.#crashLoops.close();
  }

  #tell(): void {
    const { health } = this;
    const text = JSON.stringify(health);
    if (text === this.#told) return;
    this.#told = text;
    for (const watcher of this.source.watchers) watcher.tell(health);
  }
}

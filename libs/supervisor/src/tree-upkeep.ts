import { CHECK_INTERVAL_MS, isSilent, wakeTime } from './heartbeat.js';
import type { WorkerProcess } from './process/worker-process.js';
import type { RecycleReason } from './recycle.js';
import { Recycler } from './recycler.js';
import { Scaler } from './scaler.js';
import type { Watcher } from './watcher.js';

interface Care {
  readonly watcher: Watcher;
  readonly recycler: Recycler<WorkerProcess>;
  readonly scaler: Scaler;
}

/** What is looked after about once a second while a tree runs: heartbeats, worn processes, the load. */
export class TreeUpkeep {
  readonly #cares: readonly Care[];
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `warn` tells operators what could not be done, and why. */
  constructor(
    private readonly watchers: readonly Watcher[],
    private readonly warn: (message: string) => void,
  ) {
    this.#cares = watchers.map((watcher) => ({
      watcher,
      recycler: new Recycler((process, reason) => this.#recycle(watcher, process, reason)),
      scaler: this.#createScaler(watcher),
    }));
  }

  start(): void {
    const state = { awakeSince: performance.now(), lastCheck: performance.now() };
    this.#timer = setInterval(() => {
      const now = performance.now();
      state.awakeSince = wakeTime(state.awakeSince, state.lastCheck, now);
      state.lastCheck = now;
      for (const { watcher, recycler, scaler } of this.#cares) {
        watcher.killSilent((pulse) => isSilent(pulse, state.awakeSince, now));
        recycler.check(watcher.readyProcesses, now);
        scaler.tick(now);
      }
    }, CHECK_INTERVAL_MS);
    this.#timer.unref();
  }

  stop(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  /** A process has just said that it served its `maxRequests`. */
  onSpent(process: WorkerProcess): void {
    const care = this.#cares.find(({ watcher }) => watcher.name === process.watcher);
    if (process.state === 'ready') care?.recycler.check([process], performance.now());
  }

  async #recycle(watcher: Watcher, process: WorkerProcess, reason: RecycleReason): Promise<void> {
    try {
      await watcher.replaceProcess(process, reason);
    } catch (error) {
      const what = `${process.name} stays over its limit (${reason}), its successor failed`;
      if (!this.#isOver) this.warn(`${what}: ${String(error)}`);
      throw error;
    }
  }

  /** What its own workers report, and those of the whole tree whose work waits for them. */
  #queueDelaysOf({ name, readyProcesses }: Watcher): readonly number[] {
    const own = readyProcesses.flatMap(({ beat }) => beat?.queueDelayMs ?? []);
    const everybody = this.watchers.flatMap((watcher) => watcher.readyProcesses);
    return [...own, ...everybody.flatMap(({ beat }) => beat?.queueDelaysMs?.[name] ?? [])];
  }

  #createScaler(watcher: Watcher): Scaler {
    const queueDelays = (): readonly number[] => this.#queueDelaysOf(watcher);
    return new Scaler({
      get scaling() {
        return watcher.config.scaling;
      },
      get numProcesses() {
        return watcher.numProcesses;
      },
      get beats() {
        return watcher.readyProcesses.flatMap(({ beat }) => beat ?? []);
      },
      get queueDelaysMs() {
        return queueDelays();
      },
      scale: async (from, to) => {
        try {
          await watcher.resize((current) => (current === from ? to : current));
        } catch (error) {
          const what = `watcher '${watcher.name}' stays at ${from} workers, scaling to ${to} failed`;
          if (!this.#isOver) this.warn(`${what}: ${String(error)}`);
        }
      },
    });
  }
}

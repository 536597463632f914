import type { Beat } from './ipc.js';
import { decideScale, type LoadHistory, type LoadSample, type ScalingConfig } from './scaling.js';

/** What the scaler needs from its watcher. */
export interface ScalerHost {
  /** Undefined: scaling is off. */
  readonly scaling: ScalingConfig | undefined;
  readonly numProcesses: number;
  /** The newest beats of the workers that are ready. */
  readonly beats: readonly Pick<Beat, 'utilization'>[];
  /** How long work waits for them, as far as anybody in the tree reports it. */
  readonly queueDelaysMs: readonly number[];
  /** Changes the number, if it is still `from` when the turn of this command comes. */
  scale(from: number, to: number): Promise<void>;
}

/** Has the number of a watcher's workers follow their beats. */
export class Scaler {
  #history: LoadHistory | undefined;
  #isChanging = false;

  constructor(private readonly host: ScalerHost) {}

  /** Takes a sample and acts on it; called about once a second. */
  tick(nowMs: number): void {
    const { scaling, numProcesses, beats, queueDelaysMs } = this.host;
    if (scaling === undefined || this.#isChanging) return;
    // Also a change by hand begins a new time: what was measured before it tells nothing.
    if (this.#history?.workers !== numProcesses) this.#begin(nowMs);
    if (this.#history === undefined || beats.length === 0) return;
    const keepMs = Math.max(scaling.upAfterMs, scaling.downAfterMs) * 2;
    const samples = [...this.#history.samples, sampleOf(beats, queueDelaysMs, nowMs)];
    this.#history = { ...this.#history, samples: samples.filter(({ atMs }) => nowMs - atMs <= keepMs) };
    const wanted = decideScale(scaling, this.#history, nowMs);
    if (wanted === numProcesses) return;
    this.#isChanging = true;
    const done = (): void => {
      this.#isChanging = false;
      this.#begin(performance.now());
    };
    this.host.scale(numProcesses, wanted).then(done, done);
  }

  #begin(nowMs: number): void {
    this.#history = { workers: this.host.numProcesses, changedAtMs: nowMs, samples: [] };
  }
}

function sampleOf(beats: ScalerHost['beats'], delaysMs: readonly number[], atMs: number): LoadSample {
  const utilization = beats.reduce((sum, beat) => sum + beat.utilization, 0) / beats.length;
  return { atMs, utilization, queueDelayMs: delaysMs.length === 0 ? undefined : Math.max(...delaysMs) };
}

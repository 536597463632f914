import type { WorkerProcess } from './process/worker-process.js';
import { within } from './within.js';

/** Where snapshots go: something that merges them. The supervisor does not look into snapshots. */
export interface MetricsSink {
  /** The newest snapshot of one process. */
  update(source: string, snapshot: unknown): void;
  /** The process is gone: counters stay in the totals, gauges go. */
  retire(source: string): void;
  text(): Promise<string>;
}

/** What the hub needs of a process. */
export type SnapshotSource = Pick<WorkerProcess, 'source' | 'state' | 'send' | 'exited'>;

/** A worker that does not answer within this time is shown as it was last known. */
const ASK_LIMIT_MS = 500;

/** Collects the snapshots of a tree's processes, asked for and pushed, and renders them when somebody asks. */
export class MetricsHub {
  readonly #sources = new Set<string>();
  readonly #asked = new Map<number, () => void>();
  #lastId = 0;
  #rendering: Promise<string> | undefined;

  constructor(
    private readonly sink: MetricsSink,
    private readonly readyProcesses: () => readonly SnapshotSource[],
  ) {}

  /** The merged text; everybody who asks while it is being made gets the same. */
  text(): Promise<string> {
    this.#rendering ??= this.#render().finally(() => (this.#rendering = undefined));
    return this.#rendering;
  }

  /** `id` is that of the question, or 0 when the worker sends by itself. A null snapshot: it has no metrics. */
  onSnapshot(process: SnapshotSource, id: number, snapshot: unknown): void {
    // One that is gone was added to the totals already; what still comes from it would be counted twice.
    if (process.state === 'exited') return;
    if (snapshot !== null && snapshot !== undefined) {
      this.#sources.add(process.source);
      this.sink.update(process.source, snapshot);
    }
    this.#asked.get(id)?.();
  }

  /** All that the process sent has arrived. */
  onGone(process: SnapshotSource): void {
    if (this.#sources.delete(process.source)) this.sink.retire(process.source);
  }

  async #render(): Promise<string> {
    await Promise.all(this.readyProcesses().map((process) => this.#ask(process)));
    return this.sink.text();
  }

  async #ask(process: SnapshotSource): Promise<void> {
    const id = ++this.#lastId;
    const answered = new Promise<void>((resolve) => this.#asked.set(id, resolve));
    if (process.send({ supervisor: 'ask-snapshot', id })) {
      await within(ASK_LIMIT_MS, Promise.race([answered, process.exited]));
    }
    this.#asked.delete(id);
  }
}

/** An editor writes a file in several steps, and "save all" writes several files: one change. */
const QUIET_MS = 40;
/** A directory in which something changes all the time does not put the answer off for ever. */
const MAX_WAIT_MS = 1000;

/** Files that were changed, added or removed together. */
export interface Change {
  readonly paths: readonly string[];
  /** When the first of them was noticed, by `performance.now()`. */
  readonly noticedAt: number;
}

/** Collects paths until there is a moment of quiet. */
export class ChangeBatch {
  readonly #paths = new Set<string>();
  #noticedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly give: (change: Change) => void) {}

  /** A file was changed, added or removed. */
  add(path: string): void {
    const now = performance.now();
    if (this.#paths.size === 0) this.#noticedAt = now;
    this.#paths.add(path);
    clearTimeout(this.#timer);
    const leftMs = this.#noticedAt + MAX_WAIT_MS - now;
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, Math.min(QUIET_MS, leftMs)));
  }

  /** Forgets what was collected. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#paths.clear();
  }

  #flush(): void {
    const paths = [...this.#paths];
    this.#paths.clear();
    this.give({ paths, noticedAt: this.#noticedAt });
  }
}

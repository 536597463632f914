/** An editor writes a file in several steps, and "save all" writes several files: one change. */
const QUIET_MS = 40;
/** So long a file that is only half there may take until the rest of it comes. */
const HALF_MS = 250;
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

  /** `isHalf` says of a path that it is just being written. */
  constructor(
    private readonly give: (change: Change) => void,
    private readonly isHalf: (path: string) => boolean = () => false,
  ) {}

  /** A file was changed, added or removed. */
  add(path: string): void {
    if (this.#paths.size === 0) this.#noticedAt = performance.now();
    this.#paths.add(path);
    this.#wait(QUIET_MS, () => this.#onQuiet());
  }

  /** Forgets what was collected. */
  drop(): void {
    clearTimeout(this.#timer);
    this.#paths.clear();
  }

  #onQuiet(): void {
    if ([...this.#paths].some(this.isHalf)) this.#wait(HALF_MS, () => this.#flush());
    else this.#flush();
  }

  #wait(ms: number, then: () => void): void {
    clearTimeout(this.#timer);
    const leftMs = this.#noticedAt + MAX_WAIT_MS - performance.now();
    this.#timer = setTimeout(then, Math.max(0, Math.min(ms, leftMs)));
  }

  #flush(): void {
    const paths = [...this.#paths];
    this.#paths.clear();
    this.give({ paths, noticedAt: this.#noticedAt });
  }
}

/** What the killer does: ends a process at once, ends one as an operator would, replaces workers, ends a whole tree. */
export type StrikeKind = 'kill worker' | 'stop worker' | 'reload' | 'kill arbiter';

/** One deed of the killer. */
export interface Strike {
  /** Pause since the one before. */
  readonly afterMs: number;
  readonly kind: StrikeKind;
  /** Number of the tree, from 0. */
  readonly tree: number;
  /** Between 0 and 1: which of its workers. */
  readonly worker: number;
  /** Whether it also hits a tree that is just being reloaded. */
  readonly isRude: boolean;
}

/** How often each kind comes, in sum 1. */
const SHARES: readonly (readonly [StrikeKind, number])[] = [
  ['kill worker', 0.5],
  ['stop worker', 0.2],
  ['reload', 0.2],
  ['kill arbiter', 0.1],
];

/** An endless row of strikes against `trees` trees; the same seed gives the same row. */
export function* planStrikes(seed: number, trees: number): Generator<Strike, never> {
  const random = createRandom(seed);
  for (;;) {
    const afterMs = 300 + Math.round(2200 * random());
    const kind = pickKind(random());
    yield { afterMs, kind, tree: Math.floor(trees * random()), worker: random(), isRude: random() < 0.25 };
  }
}

function pickKind(at: number): StrikeKind {
  const passed = SHARES.map((_, index) =>
    SHARES.slice(0, index + 1).reduce((sum, [, share]) => sum + share, 0),
  );
  return SHARES[passed.findIndex((limit) => at < limit)]?.[0] ?? 'kill worker';
}

/** Mulberry32: numbers from 0 to 1 that depend on the seed alone. */
function createRandom(seed: number): () => number {
  const state = new Uint32Array([seed]);
  return () => {
    state[0] = (state[0] ?? 0) + 0x6d2b79f5;
    const now = state[0] ?? 0;
    const mixed = Math.imul(now ^ (now >>> 15), now | 1);
    const again = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61));
    return ((again ^ (again >>> 14)) >>> 0) / 2 ** 32;
  };
}

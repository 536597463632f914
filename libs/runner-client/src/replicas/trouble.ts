import type { ServeError } from '@bentots/errors';

/**
 * Why a replica cannot be called: `absent`: nothing listens there, or the name is unknown; `silent`: something listens
 * and does not serve, as while the only worker is replaced; `wrong`: what listens is not the runner, or does not let
 * this client in, which time alone does not change.
 */
export type TroubleKind = 'absent' | 'silent' | 'wrong';

/** The last failed attempt to reach a replica, until one succeeds. */
export interface Trouble {
  readonly kind: TroubleKind;
  readonly error: ServeError;
  /** Number of the moment in which the attempt began. */
  readonly begunAt: number;
  /** Since when it has been of this kind, by `performance.now()`. */
  readonly sinceMs: number;
}

/** A failed attempt. */
export type Failure = Omit<Trouble, 'sinceMs'>;

/** What is known after one more failure. */
export function nextTrouble(before: Trouble | undefined, failure: Failure, nowMs: number): Trouble {
  const sinceMs = before?.kind === failure.kind ? before.sinceMs : nowMs;
  return { ...failure, sinceMs, begunAt: Math.max(failure.begunAt, before?.begunAt ?? 0) };
}

/** When calls stop waiting, by number of the moment: who came before it is sent away. */
export interface GiveUp {
  /** For calls: they wait for a runner that restarts, and a while for one that is not there. */
  readonly calls: number;
  /** For questions about readiness: one attempt everywhere is enough. */
  readonly questions: number;
}

/**
 * Who has waited long enough: a replica (all of `troubles`; undefined for one that is not known to fail) was tried since
 * they came, and for calls also is `wrong`, or has been `absent` for `limitMs`. Nobody is sent away while a replica may
 * still serve.
 */
export function planGiveUp(
  troubles: readonly (Trouble | undefined)[],
  nowMs: number,
  limitMs: number,
): GiveUp {
  const tried = troubles.map((trouble) => trouble?.begunAt ?? -1);
  const hopeless = troubles.map((trouble) => {
    if (trouble === undefined || trouble.kind === 'silent') return -1;
    const isLost = trouble.kind === 'wrong' || nowMs - trouble.sinceMs >= limitMs;
    return isLost ? trouble.begunAt : -1;
  });
  return { calls: Math.min(...hopeless), questions: Math.min(...tried) };
}

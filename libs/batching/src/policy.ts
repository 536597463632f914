import type { BatchCost } from './cost-model.js';
import type { LastAnswers, ReturnHabit } from './return-model.js';

/** All that the policy may look at. Times are of one clock, in milliseconds. */
export interface PolicyFacts {
  readonly now: number;
  /** Workers that could take a batch now. */
  readonly freeWorkers: number;
  readonly queuedRows: number;
  readonly maxBatchSize: number;
  /** Nobody may be held any more: the dispatcher is closing. */
  readonly closing: boolean;
  /** The last decision was to wait. */
  readonly held: boolean;
  readonly cost: BatchCost | undefined;
  readonly habit: ReturnHabit;
  readonly last: LastAnswers | undefined;
}

/** Why a batch is released. */
export type ReleaseReason =
  /** As many rows wait as a batch may have. */
  | 'full'
  /** A worker is free, and nobody is worth waiting for. */
  | 'idle'
  /** It was held, and those that it was held for are back. */
  | 'returned'
  /** It was held for as long as is worth it. */
  | 'hold_over'
  /** Nobody is held any more. */
  | 'closing';

/** Run a batch of at most `maxRows` rows from the head of the queue. */
export interface Dispatch {
  readonly kind: 'dispatch';
  readonly maxRows: number;
  readonly reason: ReleaseReason;
}

/** What to do now. */
export type Decision =
  /** Nothing: there is nothing to run, or no worker is free and the end of a batch will ask again. */
  | { readonly kind: 'rest' }
  | Dispatch
  /** Ask again at `until`, or as soon as a request arrives. */
  | { readonly kind: 'wait'; readonly until: number };

/** Share of a batch's fixed cost that a hold may spend, and the window in which a return is looked for. */
export const HOLD_SHARE = 0.4;

/** Clients count as coming straight back above this share. */
const MIN_RETURN_SHARE = 0.75;

/** A hold pays only where the fixed cost is worth sharing: at least this part of what the rows cost. */
const MIN_FIXED_PART = 0.2;

/** What a timer can tell apart; a shorter hold would last as long as this one. */
const TIMER_MS = 1;

/**
 * Return-aware idle dispatch. An idle worker takes at once whatever is queued, up to `maxBatchSize` rows, so that a
 * lone client never waits. The one exception: when the clients that were just answered are known to come straight
 * back, the batch is held until as many have arrived as were answered, and never longer than can be won back.
 *
 * Where several workers are free and the rows cost more than a batch does, the rows are spread over them.
 */
export function decide(facts: PolicyFacts): Decision {
  const { freeWorkers, queuedRows, maxBatchSize, closing, now } = facts;
  if (freeWorkers === 0 || queuedRows === 0) return { kind: 'rest' };
  const maxRows = pickShare(facts);
  if (closing) return { kind: 'dispatch', maxRows, reason: 'closing' };
  if (queuedRows >= maxBatchSize) return { kind: 'dispatch', maxRows, reason: 'full' };
  const until = holdUntil(facts);
  if (until !== undefined && until > now) return { kind: 'wait', until };
  const isBack = facts.last !== undefined && facts.last.arrived >= facts.last.answered;
  const reason = facts.held ? (isBack ? 'returned' : 'hold_over') : 'idle';
  return { kind: 'dispatch', maxRows, reason };
}

/**
 * Rows of the next batch. A worker more is worth its fixed cost once its share of the rows costs as much; below that one
 * batch is nearly as soon done, and the other workers stay free for those who come next.
 */
function pickShare({ freeWorkers, queuedRows, maxBatchSize, cost }: PolicyFacts): number {
  if (freeWorkers === 1 || cost === undefined) return maxBatchSize;
  const worth = Math.floor((cost.perRowMs * queuedRows) / Math.max(cost.fixedMs, Number.MIN_VALUE));
  const batches = Math.min(freeWorkers, Math.max(1, worth));
  return Math.min(maxBatchSize, Math.ceil(queuedRows / batches));
}

function holdUntil({ cost, habit, last, queuedRows }: PolicyFacts): number | undefined {
  if (cost === undefined || last === undefined) return undefined;
  if (last.arrived >= last.answered || habit.share <= MIN_RETURN_SHARE) return undefined;
  if (cost.fixedMs < MIN_FIXED_PART * cost.perRowMs * queuedRows) return undefined;
  const longestMs = HOLD_SHARE * cost.fixedMs;
  if (longestMs < TIMER_MS) return undefined;
  return last.at + Math.min(longestMs, Math.max(1.5 * habit.returnMs, TIMER_MS));
}

import type { BatchCost } from './cost-model.js';
import type { LastAnswers, ReturnHabit } from './return-model.js';

/** All that the policy may look at. Times are of one clock, in milliseconds. */
export interface PolicyFacts {
  readonly now: number;
  /** A batch is being executed. */
  readonly inFlight: boolean;
  readonly queuedRows: number;
  readonly maxBatchSize: number;
  /** Nobody may be held any more: the dispatcher is closing. */
  readonly closing: boolean;
  readonly cost: BatchCost | undefined;
  readonly habit: ReturnHabit;
  readonly last: LastAnswers | undefined;
}

/** What to do now. */
export type Decision =
  /** Nothing: there is nothing to run, or a batch is running and its end will ask again. */
  | { readonly kind: 'rest' }
  /** Run a batch of at most `maxRows` rows from the head of the queue. */
  | { readonly kind: 'dispatch'; readonly maxRows: number }
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
 * Return-aware idle dispatch. An idle runner takes at once whatever is queued, up to `maxBatchSize` rows, so that a
 * lone client never waits. The one exception: when the clients that were just answered are known to come straight
 * back, the batch is held until as many have arrived as were answered, and never longer than can be won back.
 */
export function decide(facts: PolicyFacts): Decision {
  if (facts.inFlight || facts.queuedRows === 0) return { kind: 'rest' };
  const dispatch: Decision = { kind: 'dispatch', maxRows: facts.maxBatchSize };
  if (facts.closing || facts.queuedRows >= facts.maxBatchSize) return dispatch;
  const until = holdUntil(facts);
  return until !== undefined && until > facts.now ? { kind: 'wait', until } : dispatch;
}

function holdUntil({ cost, habit, last, queuedRows }: PolicyFacts): number | undefined {
  if (cost === undefined || last === undefined) return undefined;
  if (last.arrived >= last.answered || habit.share <= MIN_RETURN_SHARE) return undefined;
  if (cost.fixedMs < MIN_FIXED_PART * cost.perRowMs * queuedRows) return undefined;
  const longestMs = HOLD_SHARE * cost.fixedMs;
  if (longestMs < TIMER_MS) return undefined;
  return last.at + Math.min(longestMs, Math.max(1.5 * habit.returnMs, TIMER_MS));
}

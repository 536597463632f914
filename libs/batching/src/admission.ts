import { ServeError } from '@bentots/errors';
import { type BatchCost, estimateBatchMs } from './cost-model.js';
import type { Refusal } from './refusals.js';

/** What decides whether a request may enter the queue; all of it is at hand, however long the queue is. */
export interface AdmissionFacts {
  /** Rows and bytes that the request brings. */
  readonly rows: number;
  readonly bytes: number;
  readonly queuedRows: number;
  readonly queuedBytes: number;
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
  /** Nothing waits and nothing runs. */
  readonly isIdle: boolean;
  /** How long the caller waits; Infinity when he does not say. */
  readonly deadlineMs: number;
  readonly maxLatencyMs: number;
  /** What it would meet. */
  readonly ahead: Ahead;
}

/** What stands between a request and its answer. */
export interface Ahead {
  /** Rows that go before it. */
  readonly rows: number;
  /** When a worker is expected to be free. */
  readonly freeInMs: number;
  /** Workers there are, busy or not. */
  readonly workers: number;
  /** Rows that a batch has when more than enough wait. */
  readonly fullRows: number;
  /** Rows that batches had lately. */
  readonly usualRows: number;
  readonly cost: BatchCost | undefined;
  /** What predictions are multiplied by, because they were too good lately; 1 for as they are. */
  readonly caution: number;
  /** Share (0–1) of its expected cost that a batch takes at least. */
  readonly certainty: number;
}

/** When a request would be run and answered, counted from now. */
export interface Prediction {
  readonly waitMs: number;
  readonly finishMs: number;
}

/** What a refusal says before anything is known about the cost of a batch. */
export const UNKNOWN_RETRY_MS = 1000;

/**
 * When a request of `rows` rows would be answered: after what runs, after the full batches ahead of it, and after the
 * least that its own batch takes, which others are expected to fill as usual.
 *
 * @returns undefined while nothing is known.
 */
export function predict(rows: number, ahead: Ahead): Prediction | undefined {
  const { cost, workers, fullRows, usualRows, freeInMs, caution, certainty } = ahead;
  if (cost === undefined || workers === 0) return undefined;
  const batches = Math.floor((ahead.rows + rows - 1) / fullRows);
  const waitMs = freeInMs + (batches * estimateBatchMs(cost, fullRows)) / workers;
  const knownRows = ahead.rows + rows - batches * fullRows;
  const ownRows = waitMs > 0 ? Math.max(knownRows, Math.min(usualRows, fullRows)) : knownRows;
  const ownMs = certainty * estimateBatchMs(cost, ownRows);
  return { waitMs: caution * waitMs, finishMs: caution * (waitMs + ownMs) };
}

/**
 * The queue is bounded in rows and in bytes, and nobody enters who could not be answered in time as far as the model of
 * cost knows. Whoever finds the dispatcher idle always enters, however large and whatever the model says: otherwise
 * he never could, and a model that is wrong would never learn better.
 *
 * @returns nothing where the request may enter, else the refusal with the time after which it is worth trying again.
 */
export function admit(name: string, facts: AdmissionFacts): Refusal | undefined {
  if (facts.isIdle) return undefined;
  return refuseFull(name, facts) ?? refuseInVain(name, facts);
}

/** What is asked of a request before it gets into a batch. */
interface Candidate {
  readonly rows: number;
  readonly job: {
    readonly expiresAt: number;
    readonly deadlineAt: number;
    readonly isPredicted: boolean;
  };
}

/**
 * Whether to run a part now would be in vain: its time is over, or will be before it is done even alone. The model has
 * no say about a request that was let in without it.
 */
export function isInVain(
  { rows, job }: Candidate,
  now: number,
  { cost, certainty }: Pick<Ahead, 'cost' | 'certainty'>,
): boolean {
  if (job.expiresAt <= now) return true;
  if (cost === undefined || !job.isPredicted) return false;
  return now + certainty * estimateBatchMs(cost, rows) > job.deadlineAt;
}

function refuseFull(name: string, facts: AdmissionFacts): Refusal | undefined {
  const { rows, bytes, queuedRows, queuedBytes, maxQueueRows, maxQueueBytes } = facts;
  // What finds nobody waiting enters even when it is larger than the queue may be.
  const isOverRows = queuedRows > 0 && queuedRows + rows > maxQueueRows;
  const isOverBytes = queuedRows > 0 && queuedBytes + bytes > maxQueueBytes;
  if (!isOverRows && !isOverBytes) return undefined;
  const full = isOverRows
    ? `${queuedRows} of ${maxQueueRows} rows`
    : `${queuedBytes} of ${maxQueueBytes} bytes`;
  const retryAfterMs = estimateRoomMs(facts);
  const words = `the queue of '${name}' is full: ${full} wait; try again in ${retryAfterMs} ms`;
  const details = { queuedRows, maxQueueRows, queuedBytes, maxQueueBytes, retryAfterMs };
  const error = new ServeError('overloaded', words, { details });
  return { reason: isOverRows ? 'queue_rows' : 'queue_bytes', error };
}

function refuseInVain(name: string, facts: AdmissionFacts): Refusal | undefined {
  const { rows, deadlineMs, maxLatencyMs, ahead } = facts;
  const prediction = predict(rows, ahead);
  if (prediction === undefined) return undefined;
  const { waitMs, finishMs } = prediction;
  if (finishMs > deadlineMs) {
    const words = `an answer of '${name}' is expected in ${round(finishMs)} ms, the caller waits ${round(deadlineMs)} ms`;
    return { reason: 'deadline', error: overloaded(words, finishMs, deadlineMs) };
  }
  if (waitMs > maxLatencyMs) {
    const words = `a wait of ${round(waitMs)} ms for '${name}' is expected, its longest latency is ${maxLatencyMs} ms`;
    return { reason: 'max_latency', error: overloaded(words, waitMs, maxLatencyMs) };
  }
  return undefined;
}

/** Refused because `expectedMs` are more than `allowedMs`: what is over must run down first. */
function overloaded(words: string, expectedMs: number, allowedMs: number): ServeError {
  const retryAfterMs = Math.max(1, Math.ceil(expectedMs - allowedMs));
  const details = { expectedMs: round(expectedMs), allowedMs: round(allowedMs), retryAfterMs };
  return new ServeError('overloaded', `${words}; try again in ${retryAfterMs} ms`, { details });
}

/** Time until the queue has run down far enough for the request to fit. */
function estimateRoomMs(facts: AdmissionFacts): number {
  const { rows, bytes, queuedRows, queuedBytes, maxQueueRows, maxQueueBytes, ahead } = facts;
  const { cost, workers, fullRows } = ahead;
  if (cost === undefined) return UNKNOWN_RETRY_MS;
  const overRows = queuedRows + rows - maxQueueRows;
  // Bytes leave the queue as evenly as rows do.
  const overBytes = ((queuedBytes + bytes - maxQueueBytes) / Math.max(1, queuedBytes)) * queuedRows;
  const rowsToGo = Math.min(queuedRows, Math.max(overRows, overBytes));
  const batches = Math.ceil(rowsToGo / fullRows / Math.max(1, workers));
  return Math.max(1, Math.ceil(batches * estimateBatchMs(cost, fullRows)));
}

function round(ms: number): number {
  return Number(ms.toPrecision(3));
}

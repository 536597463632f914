import { type BatchCost, estimateBatchMs } from './cost-model.js';

/** What decides whether a request may enter the queue. */
export interface AdmissionFacts {
  /** Rows that the request brings. */
  readonly rows: number;
  readonly queuedRows: number;
  readonly maxQueueRows: number;
  readonly maxBatchSize: number;
  readonly cost: BatchCost | undefined;
}

/** A place in the queue, or a refusal with the time after which it is worth trying again. */
export type Admission =
  { readonly kind: 'admit' } | { readonly kind: 'refuse'; readonly retryAfterMs: number };

/** What a refusal says before anything is known about the cost of a batch. */
const UNKNOWN_RETRY_MS = 1000;

/**
 * The queue is bounded in rows. A request that finds it empty always enters, however large: otherwise it never could.
 */
export function admit(facts: AdmissionFacts): Admission {
  const fits = facts.queuedRows === 0 || facts.queuedRows + facts.rows <= facts.maxQueueRows;
  return fits ? { kind: 'admit' } : { kind: 'refuse', retryAfterMs: estimateRetryMs(facts) };
}

/** Time until the queue has run down far enough for the request to fit. */
function estimateRetryMs({ rows, queuedRows, maxQueueRows, maxBatchSize, cost }: AdmissionFacts): number {
  if (cost === undefined) return UNKNOWN_RETRY_MS;
  const rowsToGo = Math.min(queuedRows, queuedRows + rows - maxQueueRows);
  const batches = Math.ceil(rowsToGo / maxBatchSize);
  return Math.max(1, Math.ceil(batches * estimateBatchMs(cost, maxBatchSize)));
}

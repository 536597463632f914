import { ServeError } from '@bentots/errors';
import { type BatchCost, estimateBatchMs } from './cost-model.js';
import type { Refusal } from './refusals.js';

/** What decides whether a request may enter the queue. */
export interface AdmissionFacts {
  /** Rows and bytes that the request brings. */
  readonly rows: number;
  readonly bytes: number;
  readonly queuedRows: number;
  readonly queuedBytes: number;
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
  readonly maxBatchSize: number;
  /** Workers there are, busy or not. */
  readonly workers: number;
  readonly cost: BatchCost | undefined;
}

/** What a refusal says before anything is known about the cost of a batch. */
const UNKNOWN_RETRY_MS = 1000;

/**
 * The queue is bounded in rows and in bytes. A request that finds it empty always enters, however large: otherwise it
 * never could.
 *
 * @returns nothing where the request may enter, else the refusal with the time after which it is worth trying again.
 */
export function admit(name: string, facts: AdmissionFacts): Refusal | undefined {
  const { rows, bytes, queuedRows, queuedBytes, maxQueueRows, maxQueueBytes } = facts;
  if (queuedRows === 0) return undefined;
  const isFull = (unit: string, queued: number, max: number): ServeError => {
    const retryAfterMs = estimateRetryMs(facts);
    const words = `the queue of '${name}' is full: ${queued} of ${max} ${unit} wait; try again in ${retryAfterMs} ms`;
    const details = { queuedRows, maxQueueRows, queuedBytes, maxQueueBytes, retryAfterMs };
    return new ServeError('overloaded', words, { details });
  };
  if (queuedRows + rows > maxQueueRows) {
    return { reason: 'queue_rows', error: isFull('rows', queuedRows, maxQueueRows) };
  }
  if (queuedBytes + bytes > maxQueueBytes) {
    return { reason: 'queue_bytes', error: isFull('bytes', queuedBytes, maxQueueBytes) };
  }
  return undefined;
}

/** Time until the queue has run down far enough for the request to fit. */
function estimateRetryMs(facts: AdmissionFacts): number {
  const { rows, bytes, queuedRows, queuedBytes, maxQueueRows, maxQueueBytes, maxBatchSize, workers, cost } =
    facts;
  if (cost === undefined) return UNKNOWN_RETRY_MS;
  const overRows = queuedRows + rows - maxQueueRows;
  // Bytes leave the queue as evenly as rows do.
  const overBytes = ((queuedBytes + bytes - maxQueueBytes) / Math.max(1, queuedBytes)) * queuedRows;
  const rowsToGo = Math.min(queuedRows, Math.max(overRows, overBytes));
  const batches = Math.ceil(rowsToGo / maxBatchSize / Math.max(1, workers));
  return Math.max(1, Math.ceil(batches * estimateBatchMs(cost, maxBatchSize)));
}

import type { ExecutionTotals } from '../services/execution-log.js';
import { encodePost, HttpConnection } from './load/http-connection.js';

/** What the model behind `url` has executed so far, by its own count. */
export async function readLog(url: string): Promise<ExecutionTotals> {
  const connection = new HttpConnection(url);
  const { status, body } = await connection.ask(encodePost(url, '/log', '{}'));
  connection.close();
  if (status !== 200) throw new Error(`/log answered ${status} ${body}`);
  return JSON.parse(body) as ExecutionTotals;
}

/** What was executed between two readings. */
export function logBetween(before: ExecutionTotals, after: ExecutionTotals): ExecutionTotals {
  return {
    batches: after.batches - before.batches,
    rows: after.rows - before.rows,
    expired: after.expired - before.expired,
    late: after.late - before.late,
    busyMs: after.busyMs - before.busyMs,
  };
}

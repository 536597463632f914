import type { Sent } from '../load/open-loop.js';
import { quantile } from '../quantile.js';

/** Requests of one open loop by what became of them, and how long that took. Times are milliseconds. */
export interface Verdict {
  /** Per second: what was asked, and what was answered rightly in time. */
  readonly offeredPerSecond: number;
  readonly goodPerSecond: number;
  readonly good: number;
  /** Answered, but after the deadline. */
  readonly late: number;
  /** 503: not admitted. */
  readonly refused: number;
  /** 504: admitted, and not answered in time. */
  readonly expired: number;
  /** No answer, or one that is no 200, 503 or 504. */
  readonly lost: number;
  /** Of all that were admitted, from sending to the end; an expired one took the whole time at least. */
  readonly admittedP50Ms: number;
  readonly admittedP99Ms: number;
  /** Of the refused, from sending to the end. */
  readonly refusedP50Ms: number;
  readonly refusedP99Ms: number;
  readonly refusedMostMs: number;
  /** The same as the server tells it: from the head of the request to its answer. */
  readonly serverAnsweredP99Ms: number;
  readonly serverRefusedP99Ms: number;
  readonly serverRefusedMostMs: number;
  /** How late the generator itself was. */
  readonly lagP99Ms: number;
}

/** Judges what was due from `fromMs` on until `toMs`. */
export function judge(all: readonly Sent[], fromMs: number, toMs: number, timeoutMs: number): Verdict {
  const sent = all.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs);
  const tookMs = ({ sentMs, endedMs }: Sent): number => endedMs - sentMs;
  const seconds = (toMs - fromMs) / 1000;
  const answered = sent.filter(({ status }) => status === 200);
  const good = answered.filter((one) => tookMs(one) <= timeoutMs);
  const refused = sent.filter(({ status }) => status === 503);
  const expired = sent.filter(({ status }) => status === 504);
  const admitted = [...answered.map(tookMs), ...expired.map((one) => Math.max(timeoutMs, tookMs(one)))];
  const refusals = refused.map(tookMs);
  const totals = (some: readonly Sent[]): number[] => some.map(({ timing }) => timing?.totalMs ?? NaN);
  return {
    offeredPerSecond: sent.length / seconds,
    goodPerSecond: good.length / seconds,
    good: good.length,
    late: answered.length - good.length,
    refused: refused.length,
    expired: expired.length,
    lost: sent.length - answered.length - refused.length - expired.length,
    admittedP50Ms: quantile(admitted, 0.5),
    admittedP99Ms: quantile(admitted, 0.99),
    refusedP50Ms: quantile(refusals, 0.5),
    refusedP99Ms: quantile(refusals, 0.99),
    refusedMostMs: quantile(refusals, 1),
    serverAnsweredP99Ms: quantile(totals(answered), 0.99),
    serverRefusedP99Ms: quantile(totals(refused), 0.99),
    serverRefusedMostMs: quantile(totals(refused), 1),
    lagP99Ms: quantile(
      sent.map(({ dueMs, sentMs }) => sentMs - dueMs),
      0.99,
    ),
  };
}

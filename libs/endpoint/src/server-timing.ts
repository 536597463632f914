import type { RunnerCalls, RunnerShares, ToldCall } from './runner-calls.js';

/**
 * Where the time of a request went, as a `Server-Timing` header (and the gRPC trailer of that name) says it; undefined
 * when no runner was called.
 *
 * `queue`, `batch`, `infer`, `hop` and `app` add up to `total`, the wall time from `startMs` to now; calls of which the
 * runner said nothing are `runner`. Several calls share these entries, and are told one by one behind `calls`.
 *
 * @param startMs when the request began, by `performance.now()`.
 */
export function formatServerTiming(calls: RunnerCalls, startMs: number): string | undefined {
  if (calls.size === 0) return undefined;
  const totalMs = performance.now() - startMs;
  const shares = calls.shares();
  return [
    ...formatRunners(shares),
    formatEntry('app', Math.max(0, totalMs - shares.callsMs)),
    formatEntry('total', totalMs),
    ...(shares.calls > 1 ? [`calls;desc="${shares.calls}"`, ...shares.told.map(formatCall)] : []),
  ].join(', ');
}

function formatRunners(shares: RunnerShares): string[] {
  const sizes = shares.told.flatMap(({ timing }) => (timing === undefined ? [] : [timing.batchRows]));
  const hasUntold = shares.untoldMs > 0 || sizes.length === 0;
  return [
    ...(sizes.length === 0
      ? []
      : [
          formatEntry('queue', shares.queueMs),
          formatEntry('batch', shares.batchMs),
          formatEntry('infer', shares.inferMs),
          `size;desc="${sizes.join(' ')}"`,
          formatEntry('hop', shares.hopMs),
        ]),
    ...(hasUntold ? [formatEntry('runner', shares.untoldMs)] : []),
  ];
}

function formatCall({ runner, method, callMs, timing }: ToldCall, index: number): string {
  const facts =
    timing === undefined
      ? ''
      : ` queue=${round(timing.queueMs)} batch=${round(timing.batchMs)} infer=${round(timing.inferMs)} size=${timing.batchRows}`;
  // Names are not always what a header can carry.
  const name = `${runner}.${method}`.replace(/[^\x20-\x7e]|["\\]/g, '?');
  return `${formatEntry(`call-${index + 1}`, callMs)};desc="${name}${facts}"`;
}

function formatEntry(name: string, ms: number): string {
  return `${name};dur=${round(ms)}`;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

/** How many requests took at most `seconds`, for each bound; the last is infinite. */
export interface Histogram {
  readonly bounds: readonly number[];
  /** Cumulative, as Prometheus has them. */
  readonly counts: readonly number[];
}

const BUCKET = /^bentoml_api_server_request_duration_seconds_bucket\{(.*)\} (\S+)$/;

/** The server's own figures about how long requests took that it answered with `code`, from its metrics. */
export function parseDurations(metrics: string, endpoint: string, code: number): Histogram {
  const buckets = metrics
    .split('\n')
    .flatMap((line) => {
      const [, labels = '', count = ''] = BUCKET.exec(line) ?? [];
      const has = (name: string, value: string | number): boolean => labels.includes(`${name}="${value}"`);
      const [, bound] = /\ble="([^"]+)"/.exec(labels) ?? [];
      if (bound === undefined || !has('endpoint', endpoint) || !has('http_response_code', code)) return [];
      return [{ bound: bound === '+Inf' ? Infinity : Number(bound), count: Number(count) }];
    })
    .sort((a, b) => a.bound - b.bound);
  return { bounds: buckets.map(({ bound }) => bound), counts: buckets.map(({ count }) => count) };
}

/** What came between two readings; a series that was not there yet had counted nothing. */
export function histogramBetween(before: Histogram, after: Histogram): Histogram {
  return { bounds: after.bounds, counts: after.counts.map((count, i) => count - (before.counts[i] ?? 0)) };
}

/** The smallest bound, in milliseconds, within which a share `q` of the requests was answered; NaN when there were none. */
export function boundMs({ bounds, counts }: Histogram = { bounds: [], counts: [] }, q: number): number {
  const all = counts.at(-1) ?? 0;
  if (all === 0) return NaN;
  return (bounds[counts.findIndex((count) => count >= q * all)] ?? Infinity) * 1000;
}

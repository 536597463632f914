import { expect, test } from 'vitest';
import { boundMs, histogramBetween, parseDurations } from './server-timing.js';

const name = 'bentoml_api_server_request_duration_seconds';
const lines = (endpoint: string, code: number, counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(
      ([le, count]) =>
        `${name}_bucket{endpoint="${endpoint}",service_name="x",http_response_code="${code}",le="${le}"} ${count}`,
    )
    .join('\n');
const metrics = [
  `# TYPE ${name} histogram`,
  lines('/run', 503, { '0.01': 98, '0.005': 90, '0.1': 100, '+Inf': 100 }),
  lines('/run', 200, { '0.005': 1, '0.01': 2, '0.1': 3, '+Inf': 4 }),
  lines('/log', 503, { '0.005': 7, '0.01': 7, '0.1': 7, '+Inf': 7 }),
  `${name}_sum{endpoint="/run",http_response_code="503"} 1.5`,
].join('\n');

test('only the endpoint and the code that were asked for are read, by growing bounds', () => {
  const { bounds, counts } = parseDurations(metrics, '/run', 503);
  expect(bounds).toEqual([0.005, 0.01, 0.1, Infinity]);
  expect(counts).toEqual([90, 98, 100, 100]);
});

test('a bound holds for the share that was asked for', () => {
  const refused = parseDurations(metrics, '/run', 503);
  expect([0.5, 0.98, 0.99, 1].map((q) => boundMs(refused, q))).toEqual([5, 10, 100, 100]);
  expect(boundMs(parseDurations(metrics, '/run', 200), 1)).toBe(Infinity);
  expect(boundMs(parseDurations(metrics, '/run', 404), 1)).toBeNaN();
});

test('what came between two readings; a code that was not there before had none', () => {
  const after = parseDurations(lines('/run', 503, { '0.01': 103, '+Inf': 110 }), '/run', 503);
  const before = parseDurations(lines('/run', 503, { '0.01': 98, '+Inf': 100 }), '/run', 503);
  expect(histogramBetween(before, after).counts).toEqual([5, 10]);
  expect(histogramBetween(parseDurations('', '/run', 503), after).counts).toEqual([103, 110]);
});

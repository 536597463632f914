import { createRandom } from '../random.js';

/**
 * When the requests of an open loop are due, in milliseconds from its beginning: independent clients, `perSecond` of
 * them in the mean. The same seed gives the same times as the simulator's Poisson arrivals.
 */
export function planPoisson(perSecond: number, durationMs: number, seed: number): number[] {
  const random = createRandom(seed);
  const times: number[] = [];
  const next = (from: number): number => from - (Math.log(1 - random()) * 1000) / perSecond;
  for (let at = next(0); at < durationMs; at = next(at)) times.push(at);
  return times;
}

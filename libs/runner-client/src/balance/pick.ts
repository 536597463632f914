/**
 * The index of the candidate with the least work in flight; among equals the first from `turn` on, round. -1 when there
 * is none.
 */
export function pickLeast(candidates: readonly { readonly inFlight: number }[], turn: number): number {
  const { length } = candidates;
  let best = -1;
  let least = Infinity;
  for (let i = 0; i < length; i += 1) {
    const index = (turn + i) % length;
    const inFlight = candidates[index]?.inFlight ?? Infinity;
    if (inFlight >= least) continue;
    best = index;
    least = inFlight;
    if (least === 0) break;
  }
  return best;
}

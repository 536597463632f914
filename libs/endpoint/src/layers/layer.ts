import type { Call } from '../call.js';

/**
 * Serves a call: at once when nothing in it waits, else by a promise. Throws or rejects when it cannot.
 * Not always a promise, as each costs more than a layer does.
 */
export type Invoke = <R>(call: Call<R>) => R | Promise<R>;

/** Wraps what comes after it. Made once per endpoint, not per call. */
export type Layer = (next: Invoke) => Invoke;

/** `layers` around `core`, the first one outermost. */
export function composeLayers(layers: readonly Layer[], core: Invoke): Invoke {
  return layers.reduceRight((next, layer) => layer(next), core);
}

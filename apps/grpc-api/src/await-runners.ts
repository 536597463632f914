import { setTimeout as sleep } from 'node:timers/promises';

/** Which runners answer now, by name. */
export type Readiness = (signal: AbortSignal) => Promise<Readonly<Record<string, boolean>>>;

/** How to wait. */
export interface AwaitRunnersOptions {
  /** Ends the waiting with its reason. */
  readonly signal: AbortSignal;
  /** Told first and whenever the awaited ones change. */
  onWait(names: readonly string[]): void;
  /** First pause between two looks; it doubles. @default 50 */
  readonly minDelayMs?: number;
  /** Longest pause. @default 1000 */
  readonly maxDelayMs?: number;
}

/** Resolves when every runner answers; looks again and again with growing pauses, and fails only by its signal. */
export async function awaitRunners(readiness: Readiness, options: AwaitRunnersOptions): Promise<void> {
  const { signal, minDelayMs = 50, maxDelayMs = 1000 } = options;
  let told = '';
  for (let delayMs = minDelayMs; ; delayMs = Math.min(delayMs * 2, maxDelayMs)) {
    const awaited = namesNotReady(await readiness(signal));
    signal.throwIfAborted();
    if (awaited.length === 0) return;
    if (awaited.join() !== told) options.onWait(awaited);
    told = awaited.join();
    await sleep(delayMs, undefined, { signal });
  }
}

/** The names of those that do not answer. */
export function namesNotReady(readiness: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(readiness).flatMap(([name, isReady]) => (isReady ? [] : [name]));
}

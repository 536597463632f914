/** Resolves after `ms`, to a tenth of a millisecond: timers alone are late by one. The thread is free meanwhile. */
export async function takeTime(ms: number): Promise<void> {
  const end = performance.now() + ms;
  if (ms > 3) await new Promise((resolve) => setTimeout(resolve, Math.floor(ms) - 2));
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
}

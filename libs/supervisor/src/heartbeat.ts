/** How often the arbiter looks for workers whose heartbeat stopped. */
export const CHECK_INTERVAL_MS = 1000;

/** What the judgement needs to know about a ready worker. */
export interface Pulse {
  /** When its last beat arrived, or when it became ready. */
  readonly lastBeatAtMs: number;
  /** How long it may be silent; 0: for ever. */
  readonly limitMs: number;
}

/**
 * Tells workers that are silent for too long from those that we did not hear because we were suspended or busy
 * ourselves: silence is counted from our own waking at the earliest. Pure; `awakeSinceMs` comes from {@link wakeTime}.
 */
export function isSilent(pulse: Pulse, awakeSinceMs: number, nowMs: number): boolean {
  if (pulse.limitMs === 0) return false;
  return nowMs - Math.max(pulse.lastBeatAtMs, awakeSinceMs) > pulse.limitMs;
}

/** Since when we have been awake without a gap: a check that comes late means that we slept until now. */
export function wakeTime(awakeSinceMs: number, lastCheckMs: number, nowMs: number): number {
  return nowMs - lastCheckMs > 2 * CHECK_INTERVAL_MS ? nowMs : awakeSinceMs;
}

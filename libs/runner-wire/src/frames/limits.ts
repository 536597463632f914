/** Bounds on what a peer may send; everything over them is a protocol error. */
export interface WireLimits {
  /** Payload of one call, result or chunk, in bytes. @default 256 MiB */
  readonly maxFrameBytes: number;
  /** Payload of one hello, error or goaway, in bytes. @default 1 MiB */
  readonly maxMetaBytes: number;
  /** Lists and records inside each other. @default 32 */
  readonly maxDepth: number;
  /** Calls that one connection runs at a time; more are refused as overloaded. @default 16384 */
  readonly maxCallsInFlight: number;
  /** Bytes that may wait to be sent; further calls are refused as overloaded. @default 512 MiB */
  readonly maxPendingBytes: number;
  /** Bytes of a stream that may be on their way to a reader that has not asked for more. @default 256 KiB */
  readonly streamWindowBytes: number;
}

/** The limits when nothing else is said. */
export const DEFAULT_LIMITS: WireLimits = Object.freeze({
  maxFrameBytes: 256 * 1024 * 1024,
  maxMetaBytes: 1024 * 1024,
  maxDepth: 32,
  maxCallsInFlight: 16_384,
  maxPendingBytes: 512 * 1024 * 1024,
  streamWindowBytes: 256 * 1024,
});

/** Fills up partly given limits. */
export function compileLimits(limits: Partial<WireLimits> = {}): WireLimits {
  return Object.freeze({ ...DEFAULT_LIMITS, ...limits });
}

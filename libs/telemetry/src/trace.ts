import { randomFillSync, randomInt } from 'node:crypto';

/** One place in a distributed trace (W3C Trace Context, version 00). */
export interface TraceContext {
  /** The header that says all of this to the next one. */
  readonly traceparent: string;
  /** 32 hex digits, the same over the whole trace. */
  readonly traceId: string;
  /** 16 hex digits, this call's own. */
  readonly spanId: string;
  /** Whether the caller records the trace. */
  readonly sampled: boolean;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/** Reads a `traceparent` header; undefined when it is absent or breaks the specification, which is then to be ignored. */
export function parseTraceparent(text: string | undefined): TraceContext | undefined {
  if (text === undefined || text.length < 55) return undefined;
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined)
    return undefined;
  // Version ff is forbidden; only later versions may say more than these four fields.
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return contextOf(traceId, spanId, (Number.parseInt(flags, 16) & 1) === 1);
}

/** A new span: a child of `parent`, in its trace and with its sampling, or the first of a new, unsampled trace. */
export function createTraceContext(parent?: TraceContext): TraceContext {
  if (parent !== undefined) return contextOf(parent.traceId, createHexId(8), parent.sampled);
  // Both ids in one piece: two conversions would cost twice as much.
  const ids = createHexId(24);
  return contextOf(ids.slice(0, 32), ids.slice(32), false);
}

function contextOf(traceId: string, spanId: string, sampled: boolean): TraceContext {
  return { traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`, traceId, spanId, sampled };
}

// One system call for some hundred ids: a call for each would cost more than the rest of the context.
const pool = Buffer.allocUnsafeSlow(4096);
let used = pool.length;

/** `bytes` random bytes as hex, for ids. */
export function createHexId(bytes: number): string {
  if (used + bytes > pool.length) refill();
  const id = pool.toString('hex', used, used + bytes);
  used += bytes;
  return id;
}

/** No byte is zero, so that no id is all zero, which the specification forbids: a thousandth of an id's randomness is the price. */
function refill(): void {
  randomFillSync(pool);
  for (let index = pool.indexOf(0); index >= 0; index = pool.indexOf(0, index))
    pool[index] = randomInt(1, 256);
  used = 0;
}

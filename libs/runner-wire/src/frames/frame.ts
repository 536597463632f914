/** The version of the wire that this package speaks; the fifth byte of the preface. */
export const PROTOCOL_VERSION = 1;

/** What a client sends first: `BTS1`, the version, three zero bytes. No HTTP request begins so. */
export const PREFACE: Uint8Array = Uint8Array.of(0x42, 0x54, 0x53, 0x31, PROTOCOL_VERSION, 0, 0, 0);

/** Bytes before the payload of every frame. */
export const HEADER_BYTES = 16;

/** Payload of a timing frame: four numbers. */
export const TIMING_BYTES = 16;

/** What a frame says; the fifth byte of its header. */
export const FRAME = {
  hello: 1,
  call: 2,
  result: 3,
  chunk: 4,
  end: 5,
  error: 6,
  cancel: 7,
  ping: 8,
  pong: 9,
  goaway: 10,
  credit: 11,
  timing: 12,
} as const;

/** The flags of each frame type; the sixth byte of the header. */
export const FLAG = {
  /** call: it may be sent again when its connection is lost. */
  idempotent: 1,
  /** call: chunks are expected. */
  stream: 2,
  /** call: the runner is to say what it did. */
  timing: 4,
  /** call: run before others. */
  priorityHigh: 8,
  /** call: run after others. */
  priorityLow: 16,
  /** error: the call was refused before any of it ran. */
  notStarted: 1,
  /** pong: calls would be served now. */
  ready: 1,
} as const;

/** What a type of frame may carry. */
export interface FrameRule {
  readonly name: string;
  /** Flag bits that may be set. */
  readonly flags: number;
  /** Which limit bounds the payload. */
  readonly payload: 'none' | 'timing' | 'meta' | 'body';
  /** Whether it belongs to a call (its call id is not 0) or to the connection (it is 0). */
  readonly ofCall: boolean;
}

const CALL_FLAGS = FLAG.idempotent | FLAG.stream | FLAG.timing | FLAG.priorityHigh | FLAG.priorityLow;

/** The rules of every frame type, by number. */
export const FRAME_RULES: readonly (FrameRule | undefined)[] = [
  undefined,
  { name: 'hello', flags: 0, payload: 'meta', ofCall: false },
  { name: 'call', flags: CALL_FLAGS, payload: 'body', ofCall: true },
  { name: 'result', flags: 0, payload: 'body', ofCall: true },
  { name: 'chunk', flags: 0, payload: 'body', ofCall: true },
  { name: 'end', flags: 0, payload: 'none', ofCall: true },
  { name: 'error', flags: FLAG.notStarted, payload: 'meta', ofCall: true },
  { name: 'cancel', flags: 0, payload: 'none', ofCall: true },
  { name: 'ping', flags: 0, payload: 'none', ofCall: false },
  { name: 'pong', flags: FLAG.ready, payload: 'none', ofCall: false },
  { name: 'goaway', flags: 0, payload: 'meta', ofCall: false },
  { name: 'credit', flags: 0, payload: 'none', ofCall: true },
  { name: 'timing', flags: 0, payload: 'timing', ofCall: true },
];

/** Bytes that complete `length` to a multiple of 8, so that tensors lie where typed arrays can view them. */
export function paddingOf(length: number): number {
  return -length & 7;
}

import type { HandleCallOptions, Priority } from '@bentots/service';
import { FLAG } from '../frames/frame.js';
import { protocolError } from '../frames/wire-error.js';

/** The flags of a call frame; `stream`: chunks are expected. */
export function callFlags(options: HandleCallOptions, stream: boolean): number {
  const { idempotent, onTiming, priority } = options;
  return (
    (idempotent === true ? FLAG.idempotent : 0) |
    (stream ? FLAG.stream : 0) |
    (onTiming === undefined ? 0 : FLAG.timing) |
    (priority === 'high' ? FLAG.priorityHigh : priority === 'low' ? FLAG.priorityLow : 0)
  );
}

/** @throws ServeError `protocol_error` when a call is said to be of both high and low priority. */
export function readPriority(flags: number): Priority {
  const high = (flags & FLAG.priorityHigh) !== 0;
  const low = (flags & FLAG.priorityLow) !== 0;
  if (high && low) throw protocolError('a call is flagged with both high and low priority');
  return high ? 'high' : low ? 'low' : 'normal';
}

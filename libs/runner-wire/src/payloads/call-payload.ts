import { ServeError } from '@bentots/errors';
import type { RunnerValue } from '@bentots/service';
import type { ByteWriter } from '../frames/byte-writer.js';
import { ValueReader } from './decode-values.js';
import { writeValue } from './encode-values.js';
import { paddingOf } from '../frames/frame.js';
import type { WireLimits } from '../frames/limits.js';
import { protocolError } from '../frames/wire-error.js';

/** What a call frame says besides its call id, flags and time. */
export interface CallPayload {
  readonly method: string;
  readonly traceparent: string | undefined;
  /** Bytes that may be sent before the first credit; 0 unless chunks are expected. */
  readonly window: number;
  readonly args: readonly RunnerValue[];
}

/** Lengths of names are one byte. */
const MAX_NAME_BYTES = 255;

/** Arguments of one call; their number is two bytes. */
const MAX_ARGS = 65_535;

/** @throws ServeError `invalid_argument` when the call cannot be said. */
export function writeCall(writer: ByteWriter, call: CallPayload): void {
  const { method, traceparent = '', args } = call;
  const methodBytes = Buffer.byteLength(method);
  const traceBytes = Buffer.byteLength(traceparent);
  if (methodBytes === 0 || methodBytes > MAX_NAME_BYTES) {
    throw invalid(`a method name of ${methodBytes} bytes cannot be called; expected 1 to ${MAX_NAME_BYTES}`);
  }
  if (traceBytes > MAX_NAME_BYTES)
    throw invalid(`a traceparent has ${traceBytes} bytes, at most ${MAX_NAME_BYTES}`);
  if (args.length > MAX_ARGS) throw invalid(`a call has ${args.length} arguments, at most ${MAX_ARGS}`);
  writer.head(methodBytes, traceBytes, args.length, call.window);
  writer.utf8(method);
  writer.utf8(traceparent);
  writer.pad();
  for (const arg of args) writeValue(writer, arg);
}

/** @throws ServeError `protocol_error` saying what is malformed. */
export function readCall(bytes: Buffer, start: number, end: number, limits: WireLimits): CallPayload {
  if (end - start < 8) throw protocolError(`a call of ${end - start} bytes is too short`);
  const methodEnd = start + 8 + bytes.readUInt8(start);
  const traceEnd = methodEnd + bytes.readUInt8(start + 1);
  const count = bytes.readUInt16LE(start + 2);
  const valuesAt = traceEnd + paddingOf(traceEnd - start);
  if (methodEnd === start + 8) throw protocolError('a call names no method');
  if (traceEnd > end) throw protocolError('the names of a call end behind its frame');

  const reader = new ValueReader(bytes, valuesAt, end, limits, start);
  const args: RunnerValue[] = [];
  while (!reader.done && args.length < count) args.push(reader.read());
  if (!reader.done || args.length < count) {
    throw protocolError(`a call announces ${count} arguments and has ${reader.done ? args.length : 'more'}`);
  }
  return {
    method: bytes.toString('utf8', start + 8, methodEnd),
    traceparent: traceEnd === methodEnd ? undefined : bytes.toString('latin1', methodEnd, traceEnd),
    window: bytes.readUInt32LE(start + 4),
    args,
  };
}

/** The one value of a result or chunk. @throws ServeError `protocol_error` */
export function readValue(bytes: Buffer, start: number, end: number, limits: WireLimits): RunnerValue {
  const reader = new ValueReader(bytes, start, end, limits);
  const value = reader.read();
  if (!reader.done) throw protocolError('bytes are left over behind a value');
  return value;
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_argument', message);
}

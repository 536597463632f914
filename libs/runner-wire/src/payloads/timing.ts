import type { RunnerTiming } from '@bentots/service';
import type { ByteWriter } from '../frames/byte-writer.js';
import { TIMING_BYTES } from '../frames/frame.js';
import { protocolError } from '../frames/wire-error.js';

/** Writes the payload of a timing frame: four numbers of single precision. */
export function writeTiming(writer: ByteWriter, timing: RunnerTiming): void {
  writer.f32(sendable(timing.queueMs));
  writer.f32(sendable(timing.batchMs));
  writer.f32(sendable(timing.inferMs));
  writer.f32(sendable(timing.batchRows));
}

/** @throws ServeError `protocol_error` when it is not four finite numbers from 0 up. */
export function readTiming(bytes: Buffer, start: number, end: number): RunnerTiming {
  if (end - start !== TIMING_BYTES) {
    throw protocolError(`a timing frame has ${end - start} bytes, ${TIMING_BYTES} are expected`);
  }
  const timing = {
    queueMs: bytes.readFloatLE(start),
    batchMs: bytes.readFloatLE(start + 4),
    inferMs: bytes.readFloatLE(start + 8),
    batchRows: bytes.readFloatLE(start + 12),
  };
  for (const [name, value] of Object.entries(timing)) {
    if (!Number.isFinite(value) || value < 0) {
      throw protocolError(`a timing frame says that ${name} is ${value}; a number from 0 up is expected`);
    }
  }
  return timing;
}

/** Clocks may jump: what cannot be true is said as nothing rather than ending the connection. */
function sendable(value: number): number {
  const single = Math.fround(value);
  return Number.isFinite(single) && single > 0 ? single : 0;
}

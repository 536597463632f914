import { PROTOCOL_VERSION } from '../frames/frame.js';
import type { WireLimits } from '../frames/limits.js';
import { readValue } from './call-payload.js';
import { protocolError } from '../frames/wire-error.js';

/** What a server says about itself first. */
export interface Hello {
  /** Name of the runner. */
  readonly runner: string;
  /** Number of this worker among its siblings, from 1. */
  readonly worker: number;
  /** Workers behind the address: as many connections reach them all. */
  readonly workers: number;
  /** Which process of this worker number it is, from 1, where its siblings are told apart. */
  readonly generation?: number;
  readonly protocol: typeof PROTOCOL_VERSION;
  /** Names of the methods that can be called. */
  readonly methods: readonly string[];
}

/** @throws ServeError `protocol_error` when it is no hello of this version. */
export function readHello(bytes: Buffer, start: number, end: number, limits: WireLimits): Hello {
  const value = readValue(bytes, start, end, limits);
  if (!isHello(value))
    throw protocolError('a hello frame lacks runner, worker, workers, protocol or methods');
  if (value.protocol !== PROTOCOL_VERSION) {
    throw protocolError(
      `the peer speaks version ${value.protocol} of the wire, this side version ${PROTOCOL_VERSION}`,
    );
  }
  return value;
}

function isHello(value: unknown): value is Hello {
  if (typeof value !== 'object' || value === null) return false;
  const hello: Partial<Record<keyof Hello, unknown>> = value;
  return (
    typeof hello.runner === 'string' &&
    typeof hello.protocol === 'number' &&
    isCount(hello.worker) &&
    isCount(hello.workers) &&
    (hello.generation === undefined || Number.isSafeInteger(hello.generation)) &&
    Array.isArray(hello.methods) &&
    hello.methods.every((method) => typeof method === 'string')
  );
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

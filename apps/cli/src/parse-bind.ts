import { parseDecimal } from '@bentots/config';
import { InvalidArgumentError } from 'commander';

/** Host and port as the deprecated `--bind` gives them together. */
export interface Bind {
  readonly host: string;
  readonly port: unknown;
}

/** Reads `tcp://host:port`, IPv6 in brackets. Limits of the port are checked with all other options. */
export function parseBind(text: string): Bind {
  const [, bracketed, plain, port] = /^tcp:\/\/(?:\[([^\]]+)\]|([^:/]+)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || port === undefined) {
    throw new InvalidArgumentError('Expected tcp://host:port.');
  }
  return { host, port: parseDecimal(port) };
}

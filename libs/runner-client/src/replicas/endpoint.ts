import { isIP } from 'node:net';
import { formatAddress, type RunnerAddress } from '@bentots/runner-map';

/** One place to connect to: a socket file, or a port of one IP address. */
export interface Endpoint {
  /** As the runner map has it. */
  readonly address: RunnerAddress;
  /** The IP address to connect to; absent for a socket file. */
  readonly ip: string | undefined;
  /** For people: `tcp://10.0.0.1:4001`, `tcp://classifier:4001 (10.0.0.2)`. */
  readonly label: string;
  /** The same for whatever reaches the same listener in the same way. */
  readonly key: string;
}

/** The endpoint of an address; `ip` is one that its host name stands for. */
export function endpointOf(address: RunnerAddress, ip?: string): Endpoint {
  const text = formatAddress(address);
  if (address.kind === 'unix') return { address, ip: undefined, label: text, key: text };
  const to = ip ?? address.host;
  const label = to === address.host ? text : `${text} (${to})`;
  // Over TLS the name matters, too: it is what the certificate is checked against.
  const name = address.kind === 'tcps' ? ` ${address.host}` : '';
  return { address, ip: to, label, key: `${address.kind} ${to} ${address.port}${name}` };
}

/** The host name that has to be resolved before the address can be connected to, if there is one. */
export function nameOf(address: RunnerAddress): string | undefined {
  return address.kind === 'unix' || isIP(address.host) !== 0 ? undefined : address.host;
}

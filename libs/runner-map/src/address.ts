import { isIPv4, isIPv6 } from 'node:net';
import { ServeError } from '@bentots/errors';

/** Where one replica of a runner listens; `tcps` is TCP with TLS. */
export type RunnerAddress =
  | { readonly kind: 'tcp' | 'tcps'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

const FORMS = 'tcp://host:port, tcps://host:port (TLS) or unix:///absolute/path';

/** The longest path the kernel takes for a unix socket (`sun_path` of Linux, less its closing zero). */
const MAX_UNIX_PATH_BYTES = 107;

/**
 * Reads `tcp://host:port` (IPv6 in brackets), `tcps://host:port` (the same over TLS), `unix:///absolute/path`, and BentoML's `file:///absolute/path`, which
 * means the same as `unix:`. Paths are percent-decoded, so `%20` stands for a blank.
 *
 * @throws ServeError `runner_map_invalid` naming the address, the wrong part and what was expected.
 */
export function parseAddress(text: string): RunnerAddress {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  const rest = text.slice((scheme?.length ?? 0) + 3);
  switch (scheme) {
    case 'tcp':
    case 'tcps':
      return { kind: scheme, ...parseHostAndPort(text, rest) };
    case 'unix':
    case 'file':
      return parseUnix(text, rest);
    case undefined:
      throw invalid(text, 'scheme', `has no scheme; expected ${FORMS}`);
    default:
      throw invalid(text, 'scheme', `has the unknown scheme '${scheme}'; expected ${FORMS}`);
  }
}

/** The address as {@link parseAddress} reads it. */
export function formatAddress(address: RunnerAddress): string {
  if (address.kind !== 'unix') {
    const host = address.host.includes(':') ? `[${address.host}]` : address.host;
    return `${address.kind}://${host}:${address.port}`;
  }
  return `unix://${address.path.replace(/[%\s,]/gu, encodeURIComponent).replaceAll(',', '%2C')}`;
}

function parseHostAndPort(text: string, rest: string): { host: string; port: number } {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(rest);
  if (!parts || parts[3]?.includes(':'))
    throw invalid(
      text,
      'host',
      "has a malformed host; an IPv6 address stands in brackets: 'tcp://[::1]:4001'",
    );
  const [, bracketed, plain = '', portText] = parts;
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    throw invalid(text, 'host', `has '${bracketed}' in brackets, which is no IPv6 address`);
  }
  if (bracketed === undefined && !isHost(plain)) {
    throw invalid(text, 'host', `has the host '${plain}'; expected a host name or an IP address`);
  }
  if (portText === undefined) throw invalid(text, 'port', 'has no port; expected tcp://host:port');
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port < 1 || port > 65_535) {
    throw invalid(text, 'port', `has the port '${portText}'; expected a number from 1 to 65535`);
  }
  return { host: bracketed ?? plain, port };
}

/** Names as resolvers take them, `_` included (compose files use it); digits and dots alone must be an IPv4 address. */
function isHost(host: string): boolean {
  if (/^[\d.]*$/.test(host)) return isIPv4(host);
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(host) && host.length <= 253;
}

function parseUnix(text: string, rest: string): RunnerAddress {
  if (!rest.startsWith('/')) {
    throw invalid(text, 'path', `has the path '${rest}'; expected an absolute one: unix:///absolute/path`);
  }
  const path = percentDecode(text, rest);
  if (path.endsWith('/') || path.includes('\0')) {
    throw invalid(text, 'path', `has the path '${rest}'; expected the path of a socket file`);
  }
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_UNIX_PATH_BYTES) {
    throw invalid(
      text,
      'path',
      `has a path of ${bytes} bytes; unix sockets allow at most ${MAX_UNIX_PATH_BYTES}`,
    );
  }
  return { kind: 'unix', path };
}

function percentDecode(text: string, path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid(text, 'path', "has a malformed percent escape in its path; write '%25' for a percent sign");
  }
}

function invalid(address: string, part: string, words: string): ServeError {
  return new ServeError('runner_map_invalid', `runner address '${address}' ${words}`, {
    details: { address, part },
  });
}

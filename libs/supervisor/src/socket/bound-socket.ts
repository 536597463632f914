/** Where a socket really listens: with the port that was taken, or the file. */
export interface BoundSocket {
  readonly name: string;
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
}

/** `127.0.0.1:3000`, `[::1]:3000` or the file's path. */
export function formatBoundAddress(address: BoundSocket['address']): string {
  if ('path' in address) return address.path;
  return formatHostPort(address.host, address.port);
}

/** Host and port as one writes them in a URL. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

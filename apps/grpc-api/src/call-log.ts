import { grpcStatusOf, httpStatusOf } from '@bentots/errors';
import { formatGrpcAccess, type Logger } from '@bentots/telemetry';
import type { CallEnd } from './bento-service.js';

/** What is logged of calls. */
export interface CallLogOptions {
  readonly log: Logger;
  readonly service: string;
  /** Whether each call gets its access line. */
  readonly access: boolean;
  readonly scheme: 'http' | 'https';
}

/** Failures of ours or of the user's code: their cause belongs into the log, as the client does not get it. */
const LOGGED: ReadonlySet<string> = new Set(['internal', 'runner_failed', 'protocol_error']);

/** Writes the access line of every call, and the cause of failures that only the operator may see. */
export function createCallLog(options: CallLogOptions): (end: CallEnd) => void {
  const { log, service, access } = options;
  return (end) => {
    const { error, inbound } = end;
    if (error !== undefined && LOGGED.has(error.code)) {
      const what = `API '${end.apiName}' failed: ${error.message}`;
      log.error(what, { trace: inbound.trace, code: error.code, error: error.cause ?? error });
    }
    if (access) log.info(formatLine(options, end), { trace: inbound.trace, service });
  };
}

function formatLine({ scheme }: CallLogOptions, end: CallEnd): string {
  const { call, apiName, error, responseSize, durationMs } = end;
  return formatGrpcAccess({
    peer: formatPeer(call.getPeer()),
    scheme,
    path: call.getPath(),
    apiName,
    requestSize: call.request.length,
    httpStatus: error === undefined ? 200 : httpStatusOf(error.code),
    grpcStatus: error === undefined ? 0 : grpcStatusOf(error.code),
    responseSize,
    durationMs,
  });
}

/** As gRPC writes peers; grpc-js joins address and port, whatever the address. */
function formatPeer(peer: string): string {
  const colon = peer.lastIndexOf(':');
  const [host, port] = [peer.slice(0, colon), peer.slice(colon + 1)];
  if (host === '') return peer;
  return host.includes(':') ? `ipv6:[${host}]:${port}` : `ipv4:${host}:${port}`;
}

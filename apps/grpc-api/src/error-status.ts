import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { grpcStatusOf, type ServeError } from '@bentots/errors';
import { encodeRpcStatus } from './rpc-status.js';

/** Trailing metadata that says the error code of the table, finer than the gRPC status. */
export const ERROR_CODE_KEY = 'bentots-error-code';
/** Trailing metadata with the error's details as JSON, when it has any. */
export const ERROR_DETAILS_KEY = 'bentots-error-details';
/** Trailing metadata with the error as `google.rpc.Status`, for clients that know nothing of ours. */
export const RPC_STATUS_KEY = 'grpc-status-details-bin';

/** Clients refuse long headers (8 KiB in many): details beyond this many characters stay here. */
const MAX_DETAILS = 4096;

/** How an error is said in gRPC: the status of the one table, its message; code and details as trailing metadata. */
export function statusOfError(error: ServeError): StatusObject {
  const metadata = new Metadata();
  metadata.set(ERROR_CODE_KEY, error.code);
  const details = error.details && asciiJson(error.details);
  if (details !== undefined && details.length <= MAX_DETAILS) metadata.set(ERROR_DETAILS_KEY, details);
  const rpcStatus = encodeRpcStatus(error);
  if (rpcStatus !== undefined) metadata.set(RPC_STATUS_KEY, Buffer.from(rpcStatus));
  return { code: grpcStatusOf(error.code), details: error.message, metadata };
}

/** Metadata carries printable ASCII only; undefined for what JSON cannot say. */
function asciiJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)?.replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  } catch {
    return undefined;
  }
}

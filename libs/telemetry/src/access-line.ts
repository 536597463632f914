/** What an access line says about one HTTP exchange. Lengths in bytes; undefined is shown as nothing. */
export interface HttpAccessFacts {
  /** `address:port` of the client; `_` for unix sockets. */
  readonly peer: string;
  readonly scheme: 'http' | 'https';
  readonly method: string;
  readonly path: string;
  readonly requestType?: string | undefined;
  readonly requestLength?: string | number | undefined;
  readonly status: number;
  readonly responseType?: string | undefined;
  readonly responseLength?: string | number | undefined;
  readonly durationMs: number;
}

/** `127.0.0.1:44270 (scheme=http,method=POST,path=/predict,type=application/json,length=13) (status=200,…) 9.695ms`. */
export function formatHttpAccess(facts: HttpAccessFacts): string {
  const { peer, scheme, method, path, requestType = '', requestLength = '', status } = facts;
  const { responseType = '', responseLength = '', durationMs } = facts;
  return (
    `${peer} (scheme=${scheme},method=${method},path=${path},type=${requestType},length=${requestLength}) ` +
    `(status=${status},type=${responseType},length=${responseLength}) ${durationMs.toFixed(3)}ms`
  );
}

/** What an access line says about one gRPC call. Sizes in bytes. */
export interface GrpcAccessFacts {
  /** `ipv4:127.0.0.1:38508`, as gRPC writes peers. */
  readonly peer: string;
  readonly scheme: 'http' | 'https';
  /** `/bentoml.grpc.v1.BentoService/Call` */
  readonly path: string;
  /** The API that was called, when it is a known one. */
  readonly apiName?: string | undefined;
  readonly requestSize: number;
  readonly httpStatus: number;
  readonly grpcStatus: number;
  readonly responseSize: number;
  readonly durationMs: number;
}

/** `ipv4:127.0.0.1:38508 (scheme=http,path=/…/Call,type=application/grpc,size=32) (http_status=200,grpc_status=0,…) 1.2ms`. */
export function formatGrpcAccess(facts: GrpcAccessFacts): string {
  const { peer, scheme, path, apiName, requestSize, httpStatus, grpcStatus, responseSize, durationMs } =
    facts;
  const api = apiName === undefined ? '' : `,api_name=${apiName}`;
  return (
    `${peer} (scheme=${scheme},path=${path}${api},type=application/grpc,size=${requestSize}) ` +
    `(http_status=${httpStatus},grpc_status=${grpcStatus},type=application/grpc,size=${responseSize}) ` +
    `${durationMs.toFixed(3)}ms`
  );
}

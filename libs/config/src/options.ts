/**
 * What a user may say, for each server; all optional, undefined means the default.
 * Every option may also be said by an environment variable: see `docs/configuration.md`.
 */

/** Where runners are: `name=tcp://host:port` entries, an object, JSON text, or a file (`@map.json` or its path). */
export type RunnerMapOption =
  string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;

/** How much the server says about itself. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Options of every server. */
export interface CommonOptions {
  /** The service: `module:attribute`, a file or a project directory. @default '.' */
  readonly bentoIdentifier?: string | undefined;
  /** Directory that the identifier is relative to. @default the current one; a project directory is its own */
  readonly workingDir?: string | undefined;
  /** Address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** Port to listen on; 0 for a free one. @default a free one, kept and reported; commands: 3000 (HTTP), 50051 (gRPC) */
  readonly port?: number | undefined;
  /** Connections that may wait to be accepted. @default 2048 */
  readonly backlog?: number | undefined;
  /** Seconds a request may take. @default 60; runner: what its definition says */
  readonly timeout?: number | undefined;
  /** Seconds that requests in flight get to end when the server stops. @default 30 */
  readonly timeoutGracefulShutdown?: number | undefined;
  /**
   * Seconds between a SIGTERM and the stop, in which everything is served and readiness says no, so that load balancers
   * look elsewhere before anything is refused. @default 0
   */
  readonly timeoutLameDuck?: number | undefined;
  /**
   * When a worker crashes again and again: `stop` ends the server with exit code 8, `keep` keeps trying, and readiness
   * says so. @default 'stop' in a container, which is started again from outside; elsewhere 'keep'
   */
  readonly onCrashLoop?: 'stop' | 'keep' | undefined;
  /** A worker is replaced, without a lost request, after so many (up to a tenth less, at random). @default no limit */
  readonly maxRequests?: number | undefined;
  /** A worker is replaced after so many seconds (up to a tenth less, at random). @default no limit */
  readonly maxWorkerAge?: number | undefined;
  /** A worker that holds more memory than so many MiB is replaced. @default no limit */
  readonly maxWorkerMemory?: number | undefined;
  /**
   * Under load there may be up to so many workers of each kind, and again as few as planned when it is over.
   * @default no scaling
   */
  readonly maxWorkers?: number | undefined;
  /** @default 'info' */
  readonly logLevel?: LogLevel | undefined;
  /** Lines for people, or one JSON object a line. @default 'text' */
  readonly logFormat?: 'text' | 'json' | undefined;
  /** A log line for each request. @default true */
  readonly accessLog?: boolean | undefined;
  /** File of the control socket, or `off`. @default one in the user's runtime directory, where `bentots ctl` looks */
  readonly controlSocket?: string | undefined;
  /** For development: changed files of the service replace the workers, the last good version serves on. @default false */
  readonly reload?: boolean | undefined;
}

/** TLS of every server that has a port of its own. */
export interface BasicTlsOptions {
  /** Certificate file (PEM); with it the server speaks TLS only. */
  readonly sslCertfile?: string | undefined;
  /** Key file (PEM). */
  readonly sslKeyfile?: string | undefined;
  /** Certificates (PEM file) that client certificates are checked against. */
  readonly sslCaCerts?: string | undefined;
}

/** TLS of the HTTP server and of runner servers. */
export interface TlsOptions extends BasicTlsOptions {
  /** Password of the key file. */
  readonly sslKeyfilePassword?: string | undefined;
  /** Lowest TLS version accepted. @default 'TLSv1.2' */
  readonly sslVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** Whether clients must show a certificate. @default 'none'; with `sslCaCerts` 'required' */
  readonly sslCertReqs?: 'none' | 'optional' | 'required' | undefined;
  /** Cipher list in OpenSSL's form. @default forward secrecy and authenticated encryption only */
  readonly sslCiphers?: string | undefined;
}

/** How an API server makes `tcps://` connections to runners. */
export interface RunnerSslOptions {
  /** Authorities (PEM file) of the runners' certificates. @default those that Node comes with */
  readonly runnerSslCaCerts?: string | undefined;
  /** Certificate (PEM file) to show to runners that want one. */
  readonly runnerSslCertfile?: string | undefined;
  /** Its key (PEM file). */
  readonly runnerSslKeyfile?: string | undefined;
  /** Password of the key file. */
  readonly runnerSslKeyfilePassword?: string | undefined;
  /** The name that the runners' certificates are checked against. @default the host in the runner map */
  readonly runnerSslServerName?: string | undefined;
}

/** Options of a runner server. */
export interface RunnerServerOptions extends CommonOptions, TlsOptions {
  /** Which runner of the service to serve; required. */
  readonly runnerName?: string | undefined;
}

/** Options of both API servers. */
export interface EdgeOptions extends CommonOptions, BasicTlsOptions, RunnerSslOptions {
  /** Addresses of the service's runners; embedded runners need none. */
  readonly runnerMap?: RunnerMapOption | undefined;
  /** Worker processes. @default the CPUs this process may use, counting a container's quota; with `reload` 1 */
  readonly apiWorkers?: number | undefined;
  /** Keep and serve Prometheus metrics. @default true */
  readonly metrics?: boolean | undefined;
  /** Upper bounds of the duration histograms, in seconds. @default 0.005 … 10 */
  readonly metricsBuckets?: readonly number[] | undefined;
}

/** Options of the HTTP API server. */
export interface HttpServerOptions extends EdgeOptions, TlsOptions {
  /** Seconds an idle connection is kept open. @default 5 */
  readonly timeoutKeepAlive?: number | undefined;
  /** Largest request body, in bytes. @default 104857600 (100 MiB) */
  readonly maxBodyBytes?: number | undefined;
  /** API calls in flight per worker before the next is refused. @default no limit */
  readonly maxConcurrency?: number | undefined;
  /** Web origins whose pages may call, such as `https://app.example`, or `*` for all. @default none: no CORS */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Beside these, origins that match this expression as a whole. */
  readonly corsOriginRegex?: string | undefined;
  /** Methods that a preflight allows. @default ['GET', 'HEAD', 'POST'] */
  readonly corsMethods?: readonly string[] | undefined;
  /** Request headers that a preflight allows. @default those it asks for */
  readonly corsHeaders?: readonly string[] | undefined;
  /** Response headers that pages may read. @default those that every page may read */
  readonly corsExposeHeaders?: readonly string[] | undefined;
  /** Whether pages may send cookies and the like; not with the origin `*`. @default false */
  readonly corsCredentials?: boolean | undefined;
  /** Seconds that browsers may keep a preflight. @default what they like */
  readonly corsMaxAge?: number | undefined;
}

/** What only the gRPC API server has. */
export interface GrpcOnlyOptions {
  /** Serve the reflection API. @default false */
  readonly reflection?: boolean | undefined;
  /** Serve channelz. @default false */
  readonly channelz?: boolean | undefined;
  /** HTTP/2 streams per connection. @default no limit */
  readonly maxConcurrentStreams?: number | undefined;
  /** API calls in flight per worker; more are refused with RESOURCE_EXHAUSTED. @default no limit */
  readonly maxConcurrentRpcs?: number | undefined;
  /** Largest message in either direction, in bytes. @default 104857600 (100 MiB) */
  readonly maxMessageBytes?: number | undefined;
  /** Version of the `bentoml.grpc` package to serve. @default 'v1' */
  readonly protocolVersion?: 'v1' | 'v1alpha1' | undefined;
  /** Address of the metrics port. @default the server's host */
  readonly metricsHost?: string | undefined;
  /** Port of the metrics; 0 for a free one. @default a free one, commands: 3001; `serve`: none, HTTP has them */
  readonly metricsPort?: number | undefined;
}

/** Options of the gRPC API server. */
export interface GrpcServerOptions extends EdgeOptions, GrpcOnlyOptions {}

/** Options of `serve`: every runner, the HTTP edge and the gRPC edge in one tree. */
export interface ServeOptions
  extends Omit<HttpServerOptions, 'runnerMap' | keyof RunnerSslOptions>, GrpcOnlyOptions {
  /** Serve gRPC beside HTTP. @default true */
  readonly grpc?: boolean | undefined;
  /** Port of the gRPC edge; 0 for a free one. @default a free one; commands: 50051 */
  readonly grpcPort?: number | undefined;
}

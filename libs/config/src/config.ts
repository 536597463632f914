import type { LogLevel, RunnerMapOption } from './options.js';

/**
 * Options after checking: complete, in the units the code uses, deeply frozen and safe to send as JSON.
 * Times are milliseconds, paths of files are absolute.
 */

/** What goes to the log. */
export interface LogConfig {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** Whether each request gets a line. */
  readonly access: boolean;
}

/** What is counted. */
export interface MetricsConfig {
  readonly enabled: boolean;
  /** Upper bounds of duration histograms, in seconds, growing. */
  readonly buckets: readonly number[];
}

/** TLS settings as the user gave them, with absolute paths; `@bentots/ssl` checks the combination and the files. */
export interface SslConfig {
  readonly certfile?: string;
  readonly keyfile?: string;
  readonly keyfilePassword?: string;
  readonly caCerts?: string;
  readonly certReqs?: 'none' | 'optional' | 'required';
  readonly version?: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
}

/** TLS towards runners as the user gave it, with absolute paths; `@bentots/ssl` checks the combination and the files. */
export interface RunnerSslConfig {
  readonly caCerts?: string;
  readonly certfile?: string;
  readonly keyfile?: string;
  readonly keyfilePassword?: string;
  readonly serverName?: string;
}

/** Which web pages may call; a page of none of these origins may not. */
export interface CorsConfig {
  /** Exact origins; or `*` alone. */
  readonly origins: readonly string[];
  /** The source of an expression that has to match an origin as a whole. */
  readonly originRegex?: string;
  readonly methods: readonly string[];
  /** Absent: whatever a preflight asks for. */
  readonly headers?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeSeconds?: number;
}

/** Where the control socket is: a file, or one named after the server in the first of the folders that can be used. */
export type ControlSocketConfig = { readonly path: string } | { readonly folders: readonly string[] };

/** When a worker that is well is replaced; what is absent is no limit. */
export interface RecycleLimits {
  readonly maxRequests?: number;
  readonly maxAgeMs?: number;
  readonly maxRssBytes?: number;
}

/** What all servers have. */
export interface ServerConfig {
  readonly bentoIdentifier: string;
  /** As given; undefined: the current directory. `start` resolves it. */
  readonly workingDir: string | undefined;
  readonly host: string;
  readonly backlog: number;
  /** How long requests in flight may go on when the server stops. */
  readonly graceMs: number;
  /** How long everything is still served, but readiness says no, before it stops. */
  readonly lameDuckMs: number;
  /** What becomes of the server when a worker crashes again and again. */
  readonly onCrashLoop: 'stop' | 'keep';
  /** When a worker that is well is replaced. */
  readonly recycle: RecycleLimits;
  /** Up to how many workers there may be under load; undefined: as many as planned. */
  readonly maxWorkers: number | undefined;
  readonly log: LogConfig;
  /** Undefined: none. */
  readonly control: ControlSocketConfig | undefined;
  /** Whether changed files of the service replace the workers. */
  readonly reload: boolean;
}

/** Configuration of a runner server. */
export interface RunnerServerConfig extends ServerConfig {
  readonly runnerName: string;
  /** Undefined: a free port. */
  readonly port: number | undefined;
  /** Undefined: what the runner's definition says. */
  readonly timeoutMs: number | undefined;
  /** Undefined: plain text. */
  readonly ssl: SslConfig | undefined;
}

/** What both edges have. */
export interface EdgeConfig extends ServerConfig {
  /** 0: a free port. */
  readonly port: number;
  /** As given, a file already read; `@bentots/runner-map` parses it. */
  readonly runnerMap: RunnerMapOption;
  /** For `tcps://` addresses; undefined: what Node trusts, and no certificate of our own. */
  readonly runnerSsl: RunnerSslConfig | undefined;
  readonly apiWorkers: number;
  readonly timeoutMs: number;
  /** Undefined: plain text. */
  readonly ssl: SslConfig | undefined;
}

/** Configuration of the HTTP API server. */
export interface HttpServerConfig extends EdgeConfig {
  readonly keepAliveMs: number;
  readonly maxBodyBytes: number;
  /** Per worker; undefined: no limit. */
  readonly maxConcurrency: number | undefined;
  /** Undefined: no page of another origin may call. */
  readonly cors: CorsConfig | undefined;
  readonly metrics: MetricsConfig;
}

/** Where the metrics of the gRPC server are served; port undefined: nowhere, 0: a free port. */
export interface GrpcMetricsConfig extends MetricsConfig {
  readonly host: string;
  readonly port: number | undefined;
}

/** Configuration of the gRPC API server. */
export interface GrpcServerConfig extends EdgeConfig {
  readonly reflection: boolean;
  readonly channelz: boolean;
  readonly maxConcurrentStreams: number | undefined;
  readonly maxConcurrentRpcs: number | undefined;
  readonly maxMessageBytes: number;
  readonly protocolVersion: 'v1' | 'v1alpha1';
  readonly metrics: GrpcMetricsConfig;
}

/** Configuration of all in one. The edges' runner maps are empty: the plan fills them with its own sockets. */
export interface ServeConfig {
  readonly http: HttpServerConfig;
  /** Undefined: no gRPC edge. */
  readonly grpc: GrpcServerConfig | undefined;
}

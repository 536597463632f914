/** Ports that count when neither option nor environment says one. */
export interface PortDefaults {
  readonly port?: number;
  readonly grpcPort?: number;
  readonly metricsPort?: number;
}

/**
 * Ports of the commands and of the server programs: well known, for people and for containers. The functions that
 * programs call take free ports instead, so that two servers in one program never meet.
 */
export const COMMAND_DEFAULTS = {
  http: { port: 3000 },
  grpc: { port: 50_051, metricsPort: 3001 },
  serve: { port: 3000, grpcPort: 50_051 },
} as const satisfies Readonly<Record<string, PortDefaults>>;

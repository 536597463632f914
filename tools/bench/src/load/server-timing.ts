/** Where the time of one request went, as the server tells it. Milliseconds. */
export interface ServerTiming {
  /** At the runner: waiting for a worker, being held for others, and in the batch. 0 when no runner told. */
  readonly runnerMs: number;
  /** The whole request, as the edge saw it. */
  readonly totalMs: number;
}

/** Reads a `Server-Timing` header, of an answer's head or alone; undefined when there is none. */
export function parseServerTiming(head: string): ServerTiming | undefined {
  const [, header] = /^server-timing: *(.*?)\r?$/im.exec(head) ?? [];
  if (header === undefined) return undefined;
  const entry = (name: string): number =>
    Number(new RegExp(`(?:^|, *)${name};dur=([\\d.]+)`).exec(header)?.[1] ?? 0);
  return { runnerMs: entry('queue') + entry('batch') + entry('infer'), totalMs: entry('total') };
}

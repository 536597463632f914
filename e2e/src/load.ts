import { Agent, request } from 'node:http';

/** What became of the requests of a load. */
export interface LoadResult {
  /** Requests answered with 200 and the right body. */
  readonly answered: number;
  /** Requests that were sent and got no whole answer: resets, cut bodies. */
  readonly lost: readonly string[];
  /** Answers with another status or body; a clean 503 while the server stops is none of them. */
  readonly wrong: readonly string[];
  /** Bodies of the answers with 503. */
  readonly unavailable: readonly string[];
}

/** A load that runs until it is stopped or the port is closed. */
export interface Load {
  readonly answered: number;
  stop(): Promise<LoadResult>;
}

/**
 * Sends the same request again and again over `connections` connections, and checks every answer against the first.
 * A refused connection (nobody listens any more) ends that loop: it is the clean end of a server.
 */
export function startLoad(
  url: string,
  body: unknown,
  options: { connections: number; keepAlive: boolean },
): Load {
  const agent = new Agent({ keepAlive: options.keepAlive, maxSockets: options.connections });
  const payload = JSON.stringify(body);
  const lost: string[] = [];
  const wrong: string[] = [];
  const unavailable: string[] = [];
  const state = { answered: 0, stopped: false, expected: undefined as string | undefined };

  const loop = async (): Promise<void> => {
    while (!state.stopped) {
      const outcome = await send(url, payload, agent);
      if (outcome.kind === 'refused') return;
      if (outcome.kind === 'lost') lost.push(outcome.reason);
      else if (outcome.status === 503) unavailable.push(outcome.body);
      else if (outcome.status === 200 && outcome.body === (state.expected ??= outcome.body)) state.answered++;
      else wrong.push(`${outcome.status} ${outcome.body}`);
    }
  };
  const loops = Promise.all(Array.from({ length: options.connections }, loop));
  return {
    get answered() {
      return state.answered;
    },
    stop: async () => {
      state.stopped = true;
      await loops;
      agent.destroy();
      return { answered: state.answered, lost, wrong, unavailable };
    },
  };
}

type Outcome =
  { kind: 'answer'; status: number; body: string } | { kind: 'refused' } | { kind: 'lost'; reason: string };

function send(url: string, payload: string, agent: Agent): Promise<Outcome> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const call = request(url, { method: 'POST', agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ kind: 'answer', status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
      );
      response.on('error', (error) => resolve({ kind: 'lost', reason: error.message }));
    });
    call.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED' ? { kind: 'refused' } : { kind: 'lost', reason: error.message });
    });
    call.end(payload);
  });
}

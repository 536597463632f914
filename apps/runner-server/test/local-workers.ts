import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROTOCOL_VERSION } from '@bentots/runner-wire';
import type { RunnerFacts } from '@bentots/service';
import { createLogger } from '@bentots/telemetry';
import { ModelServer } from '../src/model-server.js';
import { loadRunnable } from '../src/runnable-host.js';
import { RunnerWorkers } from '../src/runner-workers.js';

/** A runner's model, served in this very process over a real socket. */
export interface LocalModel {
  readonly path: string;
  readonly model: ModelServer;
  close(): void;
}

/** Loads the model and serves it as worker 1. */
export async function serveModel(facts: RunnerFacts, path = pickPath()): Promise<LocalModel> {
  const methods = [...facts.methods.keys()];
  const model = new ModelServer({
    hello: { runner: facts.name, worker: 1, workers: 1, protocol: PROTOCOL_VERSION, methods },
    host: await loadRunnable(facts),
    onCallEnd: () => undefined,
  });
  model.server.listen(path);
  await once(model.server, 'listening');
  return { path, model, close: () => void model.server.close() };
}

/** The dispatcher's end of it. */
export function connectWorkers(runner: string, path: string, onFree: () => void): RunnerWorkers {
  const log = createLogger({ component: 'test', level: 'silent', format: 'text' });
  const workers = new RunnerWorkers({ runner, path, log, onFree });
  workers.want(1);
  return workers;
}

function pickPath(): string {
  return join(tmpdir(), `bentots-test-${randomUUID()}.sock`);
}

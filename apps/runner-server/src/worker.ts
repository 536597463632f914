import type { RunnerWorkerData } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import { PROTOCOL_VERSION } from '@bentots/runner-wire';
import { describeService, fingerprintOf } from '@bentots/service';
import { loadService, warmUpLoader } from '@bentots/service-loader';
import { attach, type Worker } from '@bentots/supervisor/child';
import { createLogger, type Logger } from '@bentots/telemetry';
import { unlessAborted } from './drain.js';
import { ModelServer } from './model-server.js';
import { pickRunner } from './pick-runner.js';
import { loadRunnable } from './runnable-host.js';

/** The child that holds a runner's model: it computes for the runner's dispatcher, and for nobody else. */
async function startWorker(worker: Worker, data: RunnerWorkerData, log: Logger): Promise<void> {
  const { service } = await loadService(data.target.identifier, data.target.workingDir);
  const facts = pickRunner(service, data.runnerName);
  // Before anything is served: a worker that says it is ready has its model.
  const host = await loadRunnable(facts);
  const methods = [...facts.methods.keys()];
  const { workerId, generation } = worker;
  const model = new ModelServer({
    hello: {
      runner: facts.name,
      worker: workerId,
      workers: 1,
      generation,
      protocol: PROTOCOL_VERSION,
      methods,
    },
    host,
    onCallEnd: () => worker.served(),
  });
  worker.onDrain(async (signal) => {
    await model.drain(signal);
    await unlessAborted(signal, host.close());
  });
  await worker.serve(data.socket, model.server);
  worker.ready({ service: fingerprintOf(describeService(service)) });
  log.debug(`runner '${facts.name}' is ready`, { methods });
}

// What the parent sends is written by itself, from a RunnerWorkerData.
const worker = await attach({
  warmUp: (data) => {
    const { identifier, workingDir } = (data as RunnerWorkerData).target;
    return warmUpLoader(identifier, workingDir);
  },
});
const data = worker.data as RunnerWorkerData;
const log = createLogger({ component: `runner:${data.runnerName}:${worker.workerId}`, ...data.log });
await startWorker(worker, data, log).catch((thrown: unknown) => {
  const error = ServeError.from(thrown);
  // The arbiter tells the message; where in the model it happened, only this log can.
  if (error.cause !== undefined) log.error('this worker cannot serve', { error: error.cause });
  return worker.fail(thrown);
});

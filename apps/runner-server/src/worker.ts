import 'reflect-metadata';
import type { RunnerWorkerData } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import { describeService, fingerprintOf } from '@bentots/service';
import { loadService, warmUpLoader } from '@bentots/service-loader';
import { attach, type Worker } from '@bentots/supervisor/child';
import { createLogger, type Logger, type MetricsRegistry } from '@bentots/telemetry';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { drainRunner } from './drain.js';
import type { FrameServer } from './frame-server.js';
import { toNestLog } from './nest-log.js';
import { loadRunnable } from './runnable-host.js';
import type { RunnerMethods } from './runner-methods.js';
import { pickRunner, RunnerServerModule, TOKENS } from './runner-server.module.js';

/** The child: loads one runner's model, serves it, and drains when it is told to stop. */
async function startWorker(worker: Worker, data: RunnerWorkerData, log: Logger): Promise<void> {
  const { service } = await loadService(data.target.identifier, data.target.workingDir);
  const facts = pickRunner(service, data.runnerName);
  // Before anything is served: a worker that says it is ready has its model.
  const host = await loadRunnable(facts);

  const module = RunnerServerModule.of({ worker, data, service, facts, host, log });
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(module, {
    useFactory: (frames: FrameServer) => ({ strategy: frames }),
    inject: [TOKENS.frameServer],
    logger: toNestLog(log),
    abortOnError: false,
  });
  const registry = app.get<MetricsRegistry>(TOKENS.metrics, { strict: false });
  const methods = app.get<RunnerMethods>(TOKENS.methods, { strict: false });
  const frames = app.get<FrameServer>(TOKENS.frameServer, { strict: false });
  worker.snapshots(() => registry.snapshot());
  worker.onDrain((signal, manner) => drainRunner({ frames, methods, app, host }, signal, manner));
  await app.listen();
  worker.ready({ service: fingerprintOf(describeService(service)) });
  log.debug(`runner '${facts.name}' is ready`, { methods: [...facts.methods.keys()] });
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

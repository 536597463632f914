import 'reflect-metadata';
import type { DispatcherWorkerData } from '@bentots/config';
import type { RunnerDescription } from '@bentots/service';
import { attach, type Worker } from '@bentots/supervisor/child';
import { createLogger, type Logger, type MetricsRegistry } from '@bentots/telemetry';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { drainDispatcher } from './drain.js';
import type { FrameServer } from './frame-server.js';
import { toNestLog } from './nest-log.js';
import type { RunnerMethods } from './runner-methods.js';
import { RunnerServerModule, TOKENS } from './runner-server.module.js';
import type { RunnerWorkers } from './runner-workers.js';
import { loadFrameTls } from './tls-server.js';

type Data = DispatcherWorkerData<RunnerDescription>;

/**
 * The child that faces a runner's callers: it queues and batches their calls for the workers that hold the model. It
 * runs no code of the service, so that health, refusals and cancellation are prompt whatever the model does.
 */
async function startDispatcher(worker: Worker, data: Data, log: Logger): Promise<void> {
  const tls = await loadFrameTls(data.ssl, log);
  const module = RunnerServerModule.of({ worker, data, tls, log });
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(module, {
    useFactory: (frames: FrameServer) => ({ strategy: frames }),
    inject: [TOKENS.frameServer],
    logger: toNestLog(log),
    abortOnError: false,
  });
  const registry = app.get<MetricsRegistry>(TOKENS.metrics, { strict: false });
  const workers = app.get<RunnerWorkers>(TOKENS.workers, { strict: false });
  const methods = app.get<RunnerMethods>(TOKENS.methods, { strict: false });
  const frames = app.get<FrameServer>(TOKENS.frameServer, { strict: false });
  worker.snapshots(() => registry.snapshot());
  worker.onTree(({ ready }) => workers.want(ready[data.watcher] ?? 0));
  worker.onDrain((signal, manner) => drainDispatcher({ frames, methods, app, workers }, signal, manner));
  await workers.connected;
  await app.listen();
  worker.ready();
  log.debug(`the dispatcher of runner '${data.runner.name}' is ready`);
}

// What the parent sends is written by itself, from a DispatcherWorkerData.
const worker = await attach();
const data = worker.data as Data;
const log = createLogger({ component: `dispatcher:${data.runner.name}`, ...data.log });
await startDispatcher(worker, data, log).catch((thrown: unknown) => worker.fail(thrown));

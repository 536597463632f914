import { mkdir, rm } from 'node:fs/promises';

import { type Environment, readEnvironment } from '@bentots/config';
import { ServeError } from '@bentots/errors';
import {
  Arbiter,
  type BoundSocket,
  handleSignals,
  type StopReport,
  type Plan,
  type SupervisorEvent,
} from '@bentots/supervisor';
import { createLogger, type Logger } from '@bentots/telemetry';

import { Deferred } from './deferred.js';
import { Development } from './development.js';
import { logEvent } from './log-event.js';
import { isPrivateSocket } from './plan-runner.js';
import type { Announce, Announcement, Prepare, Prepared } from './prepared.js';
import { Replanner } from './replanner.js';
import { sweepRuntimeDirs } from './runtime-dir.js';
import { createServerHandle, type ServerHandle } from './server-handle.js';
import type { StartExtras } from './start-options.js';
import { takeListenFds } from './take-listen-fds.js';
import { TreeMetrics } from './tree-metrics.js';

/** What a server that was stopped before its first process reports. */
const STOPPED_EARLY: StopReport = { exitCode: 0, reason: 'asked' };

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

/** Prepares, then runs the plan; returns at once. */
export function launch(
  prepare: Prepare,
  { signals = true, environment = readEnvironment() }: Pick<StartExtras, 'signals' | 'environment'>,
): ServerHandle {
  const launching = new Launch(prepare, signals, environment);
  const life = launching.run();
  return createServerHandle(life, launching.ready, async () => {
    launching.stop();
    await life.catch(() => undefined); // the handle itself tells of a failure
  });
}

/** One server from its options to its end. */
class Launch {
  private readonly whenReady = new Deferred<Announcement>();
  private readonly stopping = new AbortController();
  private readonly onEarlySignal = (): void => this.stop();
  private arbiter: Arbiter | undefined;

  constructor(
    private readonly prepare: Prepare,
    private readonly withSignals: boolean,
    private readonly environment: Environment,
  ) {}

  get ready(): Promise<Announcement> {
    return this.whenReady.promise;
  }

  stop(): void {
    this.stopping.abort();
    void this.arbiter?.stop();
  }

  async run(): Promise<StopReport> {
    // A signal while the service is described is a stop like any other; later the arbiter has handlers of its own.
    if (this.withSignals) for (const signal of STOP_SIGNALS) process.on(signal, this.onEarlySignal);
    try {
      const report = await this.live();
      this.whenReady.reject(new ServeError('cancelled', 'the server was stopped before it was ready'));
      return report;
    } catch (error) {
      const known = ServeError.from(error);
      this.whenReady.reject(known);
      throw known;
    } finally {
      this.dropEarlyHandlers();
    }
  }

  private async live(): Promise<StopReport> {
    const prepared = await this.prepareUnlessStopped();
    if (prepared === undefined) return STOPPED_EARLY;
    const { runtimeDir } = prepared;
    // Not recursive: a directory that is already there belongs to somebody else.
    if (runtimeDir !== undefined) {
      await sweepRuntimeDirs();
      await mkdir(runtimeDir, { mode: 0o700 });
    }
    try {
      return await this.supervise(prepared);
    } finally {
      await this.arbiter?.stop(); // whatever went wrong here, the tree does not outlive it
      if (runtimeDir !== undefined) await rm(runtimeDir, { recursive: true, force: true });
    }
  }

  private async prepareUnlessStopped(): Promise<Prepared | undefined> {
    try {
      return await this.prepare({ deploy: true, signal: this.stopping.signal });
    } catch (error) {
      if (this.stopping.signal.aborted) return undefined;
      throw error;
    }
  }

  private async supervise(prepared: Prepared): Promise<StopReport> {
    if (this.stopping.signal.aborted) return STOPPED_EARLY;
    const { plan, log, watched } = prepared;
    const logger: Logger = createLogger({ component: 'arbiter', level: log.level, format: log.format });
    const watchers = plan.watchers.map(({ name }) => name);
    const metrics = prepared.metrics ? new TreeMetrics(watchers, () => arbiter.status()) : undefined;
    const replanner = new Replanner(this.prepare, prepared, this.stopping.signal);
    const development = watched && new Development(watched, replanner, logger);
    const onEvent = (event: SupervisorEvent): void => {
      if (development?.tells(event) !== true) logEvent(logger, event);
      metrics?.onEvent(event);
    };
    const replan = (): Promise<Plan> => replanner.plan();
    const listenFds = takeListenFds(plan, this.environment, process.pid);
    const arbiter = new Arbiter(plan, { onEvent, replan, listenFds, ...(metrics && { metrics }) });
    this.arbiter = arbiter;
    if (this.withSignals) handleSignals(arbiter);
    this.dropEarlyHandlers();
    logger.info(prepared.startLine);
    // Before the workers load the files: a change from now on is not missed.
    await development?.watch(arbiter);
    try {
      const sockets = await startTree(arbiter);
      if (sockets !== undefined) {
        const open = sockets.filter(({ name }) => !isPrivateSocket(name));
        this.tellReady(logger, prepared.announce(open));
      }
      return await arbiter.done;
    } finally {
      this.stopping.abort(); // also ends a describing child
      await development?.close();
    }
  }

  private dropEarlyHandlers(): void {
    for (const signal of STOP_SIGNALS) process.off(signal, this.onEarlySignal);
  }

  private tellReady(logger: Logger, { facts, lines }: ReturnType<Announce>): void {
    for (const line of lines) logger.info(line);
    this.whenReady.resolve(facts);
  }
}

/** The bound sockets; undefined when somebody asked the tree to stop meanwhile; throws why it could not start. */
async function startTree(arbiter: Arbiter): Promise<readonly BoundSocket[] | undefined> {
  try {
    return await arbiter.start();
  } catch (error) {
    const { reason } = await arbiter.done;
    if (reason === 'asked' || reason === 'forced') return undefined;
    throw error;
  }
}

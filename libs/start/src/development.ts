import type { Arbiter, SupervisorEvent, TreeState } from '@bentots/supervisor';
import type { Logger } from '@bentots/telemetry';

import { DevReload } from './dev-reload.js';
import type { Replanner } from './replanner.js';
import { type ServiceWatch, type WatchedService, watchService } from './watch-service.js';

/** From here on nothing is replaced any more. */
const ENDS: ReadonlySet<TreeState> = new Set(['lame-duck', 'stopping', 'stopped', 'failed']);

/** A tree in development: ties its service's files to its workers. */
export class Development {
  #fingerprint: string;
  /** While workers are replaced, their failures are told once, by whoever replaces them. */
  #isReplacing = false;
  #reload: DevReload | undefined;
  #files: ServiceWatch | undefined;

  constructor(
    private readonly service: WatchedService,
    private readonly replanner: Pick<Replanner, 'fingerprint' | 'keepPlan' | 'look'>,
    private readonly log: Logger,
  ) {
    this.#fingerprint = replanner.fingerprint;
  }

  /** Hears an event of the tree; true if it needs no line of its own, as another will tell it. */
  tells(event: SupervisorEvent): boolean {
    // What a stop cuts short is no failure of the changed files.
    if (event.type === 'tree' && ENDS.has(event.state)) this.#reload?.close();
    if (event.type === 'worker-ready') this.#fingerprint = readFingerprint(event.info) ?? this.#fingerprint;
    const isOfReplacing = event.type === 'worker-exited' || event.type === 'worker-restarting';
    return isOfReplacing && this.#isReplacing;
  }

  /** Resolves when no change will be missed. */
  async watch(arbiter: Pick<Arbiter, 'reload'>): Promise<void> {
    const { dir } = this.service;
    const reload = new DevReload({
      dir,
      log: this.log,
      replaceWorkers: () => {
        this.replanner.keepPlan();
        return this.#replace(arbiter);
      },
      replan: async () => {
        const isOther = await this.replanner.look();
        if (isOther) await this.#replace(arbiter);
        return isOther;
      },
      isPlanOld: () => this.#fingerprint !== this.replanner.fingerprint,
    });
    this.#reload = reload;
    this.#files = await watchService(this.service, {
      onChange: (change) => reload.onChange(change),
      onError: (error) => this.log.warn(`not every file below ${dir} can be watched: ${String(error)}`),
    });
    this.log.info(`Watching ${dir}: changed files of the service replace the workers`);
  }

  async close(): Promise<void> {
    this.#reload?.close();
    await this.#files?.close();
  }

  async #replace(arbiter: Pick<Arbiter, 'reload'>): Promise<void> {
    this.#isReplacing = true;
    try {
      await arbiter.reload();
    } finally {
      this.#isReplacing = false;
    }
  }
}

/** What our workers say when they are ready. */
function readFingerprint(info: unknown): string | undefined {
  if (typeof info !== 'object' || info === null || !('service' in info)) return undefined;
  return typeof info.service === 'string' ? info.service : undefined;
}

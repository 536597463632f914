import { HealthCheckResponse_ServingStatus as ServingStatus } from './wire/grpc/health/v1/health.gen.js';

/** What health is made of. */
export interface HealthOptions {
  /** The services that can be asked for; the empty name, the server as a whole, is always there. */
  readonly names: readonly string[];
  /** Whether all runners answer now. */
  isReady(): Promise<boolean>;
  /** How often watchers get a fresh look. @default 1000 */
  readonly pollMs?: number;
}

interface Watcher {
  readonly known: boolean;
  last: ServingStatus | undefined;
  tell(status: ServingStatus): void;
  end(): void;
}

/**
 * The state that grpc.health.v1 answers with. It follows the runners: asked at each check, and once per `pollMs` while
 * somebody watches, never otherwise. From {@link drain} on it is NOT_SERVING for good.
 */
export class Health {
  private readonly names: ReadonlySet<string>;
  private readonly watchers = new Set<Watcher>();
  private draining = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: HealthOptions) {
    this.names = new Set(['', ...options.names]);
  }

  /** The state of one service; undefined when nothing has this name. */
  async check(name: string): Promise<ServingStatus | undefined> {
    return this.names.has(name) ? this.look() : undefined;
  }

  /** The states of all services. */
  async list(): Promise<Readonly<Record<string, ServingStatus>>> {
    const status = await this.look();
    return Object.fromEntries([...this.names].map((name) => [name, status]));
  }

  /**
   * Tells the state of one service now and at each change, until the result is called; `end` is called when the server
   * ends all watches itself. An unknown name is told SERVICE_UNKNOWN.
   */
  watch(name: string, tell: (status: ServingStatus) => void, end: () => void): () => void {
    const watcher: Watcher = { known: this.names.has(name), last: undefined, tell, end };
    this.watchers.add(watcher);
    void this.refresh();
    this.timer ??= setInterval(() => void this.refresh(), this.options.pollMs ?? 1000).unref();
    return () => this.forget(watcher);
  }

  /** NOT_SERVING from now on; watchers are told before this returns. */
  drain(): void {
    this.draining = true;
    this.tellAll(ServingStatus.NOT_SERVING);
  }

  /** Ends all watches: an open one would keep its connection, and so the server, from closing. */
  endWatches(): void {
    for (const watcher of [...this.watchers]) {
      this.forget(watcher);
      watcher.end();
    }
  }

  private forget(watcher: Watcher): void {
    this.watchers.delete(watcher);
    if (this.watchers.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async refresh(): Promise<void> {
    this.tellAll(await this.look());
  }

  private tellAll(status: ServingStatus): void {
    for (const watcher of this.watchers) {
      const told = watcher.known ? status : ServingStatus.SERVICE_UNKNOWN;
      if (told === watcher.last) continue;
      watcher.last = told;
      watcher.tell(told);
    }
  }

  private async look(): Promise<ServingStatus> {
    const isReady = !this.draining && (await this.options.isReady().catch(() => false));
    // Asked again: draining may have begun while the runners were asked.
    return isReady && !this.draining ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}

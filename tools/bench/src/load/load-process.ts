import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ClosedLoad, ClosedReport } from './closed-loop.js';
import type { OpenLoad, Sent } from './open-loop.js';

/** What a process of a load is told. */
export type LoadRequest =
  { readonly kind: 'closed'; readonly load: ClosedLoad } | { readonly kind: 'open'; readonly load: OpenLoad };

/** A process that sends loads, one at a time. */
export class LoadProcess {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./load-main.ts', import.meta.url)), {
    // Named, as the bench may itself run in a test runner.
    execArgv: ['--import', 'tsx'],
  });

  closed(load: ClosedLoad): Promise<ClosedReport> {
    return this.#ask({ kind: 'closed', load });
  }

  open(load: OpenLoad): Promise<Sent[]> {
    return this.#ask({ kind: 'open', load });
  }

  stop(): void {
    this.#child.kill();
  }

  #ask<T>(request: LoadRequest): Promise<T> {
    this.#child.send(request);
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the load ended; see its error above'));
      this.#child.once('exit', ended);
      this.#child.once('message', (report) => {
        this.#child.off('exit', ended);
        resolve(report as T);
      });
    });
  }
}

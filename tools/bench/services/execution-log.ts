/** What a model has executed. */
export interface ExecutionTotals {
  readonly batches: number;
  readonly rows: number;
  /** Rows whose time was over when their batch began: work for nobody. */
  readonly expired: number;
  /** Rows whose time was over when their batch ended, but not when it began. */
  readonly late: number;
  /** Milliseconds that the batches took together. */
  readonly busyMs: number;
}

/** Counts, inside the model, what was executed and for whom. */
export class ExecutionLog {
  totals: ExecutionTotals = { batches: 0, rows: 0, expired: 0, late: 0, busyMs: 0 };

  /** Runs a batch. `deadlines` has one entry per row, in milliseconds since the epoch. */
  async record<T>(deadlines: ArrayLike<number>, run: () => Promise<T>): Promise<T> {
    const over = (): number => Array.from(deadlines).filter((deadline) => deadline < Date.now()).length;
    const expired = over();
    const startedAt = performance.now();
    const output = await run();
    const { totals } = this;
    this.totals = {
      batches: totals.batches + 1,
      rows: totals.rows + deadlines.length,
      expired: totals.expired + expired,
      late: totals.late + over() - expired,
      busyMs: totals.busyMs + performance.now() - startedAt,
    };
    return output;
  }
}

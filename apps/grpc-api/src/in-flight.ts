/** Counts the calls that are being answered, as grpc-js cannot be asked: its shutdown returns early now and then. */
export class InFlight {
  private count = 0;
  private waiting: (() => void)[] = [];

  /** How many calls are being answered now. */
  get size(): number {
    return this.count;
  }

  /** A call begins; the result must be called once, when its answer was handed to the transport. */
  enter(): () => void {
    this.count++;
    return () => {
      this.count--;
      if (this.count > 0) return;
      for (const wake of this.waiting.splice(0)) wake();
    };
  }

  /** Resolves when no call is being answered; at once when there is none. */
  idle(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

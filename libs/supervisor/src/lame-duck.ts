/**
 * The time between the wish to stop and the stop: everything is served as before, but readiness says no, so that load
 * balancers stop sending before anything is refused.
 */
export class LameDuck {
  #over: Promise<void> | undefined;
  #end: () => void = () => undefined;
  #isOn = false;

  constructor(
    private readonly ms: number,
    private readonly onBegin: () => void,
  ) {}

  /** Begins, if it has not; resolves when the time is over. */
  begin(): Promise<void> {
    if (this.#over === undefined) {
      this.#over = this.#wait();
      if (this.#isOn) this.onBegin();
    }
    return this.#over;
  }

  /** Ends the time now. False if it was not on. */
  skip(): boolean {
    const wasOn = this.#isOn;
    this.#end();
    return wasOn;
  }

  async #wait(): Promise<void> {
    if (this.ms === 0) return;
    this.#isOn = true;
    const over = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.ms);
      this.#end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    await over;
    this.#isOn = false;
  }
}

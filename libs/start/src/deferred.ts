/** A promise whose outcome is decided elsewhere; `Promise.withResolvers` is newer than our oldest Node. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  private settle: { resolve(value: T): void; reject(error: Error): void } | undefined;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.settle = { resolve, reject };
    });
  }

  resolve(value: T): void {
    this.settle?.resolve(value);
  }

  reject(error: Error): void {
    this.settle?.reject(error);
  }
}

import type { Readable } from 'node:stream';

/** What a program prints, to be waited for. */
export class Printed {
  text = '';
  readonly #checks = new Set<() => void>();

  constructor(stream: Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      this.text += chunk;
      for (const check of [...this.#checks]) check();
    });
    stream.once('end', () => {
      for (const check of [...this.#checks]) check();
    });
  }

  /** The first match, now or later. */
  match(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const check = (): void => {
        const found = pattern.exec(this.text);
        if (found === null) return;
        this.#checks.delete(check);
        resolve(found);
      };
      this.#checks.add(check);
      check();
    });
  }
}

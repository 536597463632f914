import ansi from 'ansi-escapes';

const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';

/** What is used of a terminal. */
export type Terminal = Pick<NodeJS.WriteStream, 'write' | 'on' | 'off' | 'rows'>;

/**
 * A terminal as one page that is drawn again and again. The terminal's own text is back when it is closed, or the process
 * ends. Long lines are cut by the terminal, so that every width is right at once.
 */
export class Screen {
  #lines: readonly string[] = [];
  #isOpen = true;
  readonly #onResize = (): void => this.draw(this.#lines);
  readonly #onExit = (): void => this.close();

  constructor(private readonly terminal: Terminal) {
    terminal.write(ansi.enterAlternativeScreen + ansi.cursorHide + WRAP_OFF);
    terminal.on('resize', this.#onResize);
    process.once('exit', this.#onExit);
  }

  /** Shows as many of the lines as fit. */
  draw(lines: readonly string[]): void {
    this.#lines = lines;
    if (!this.#isOpen) return;
    // Some terminals do not know their size and say 0.
    const shown = lines.slice(0, this.terminal.rows || undefined).map((line) => line + ansi.eraseEndLine);
    this.terminal.write(ansi.cursorTo(0, 0) + shown.join('\n') + ansi.eraseDown);
  }

  /** May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.terminal.off('resize', this.#onResize);
    process.off('exit', this.#onExit);
    this.terminal.write(WRAP_ON + ansi.cursorShow + ansi.exitAlternativeScreen);
  }
}

import { ServeError } from '@bentots/errors';
import type { Arbiter } from './arbiter.js';
import type { SupervisorEvent } from './events.js';

/**
 * One key press may arrive several times: from the terminal and again from npm, Nx or a shell in between. Signals
 * within this time of the first are the same wish.
 */
export const SAME_WISH_MS = 200;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

/** What people press; they wait for the end, and idle browsers are not worth waiting for. */
const HURRIED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

type Effect = Extract<SupervisorEvent, { type: 'signal' }>['effect'];

/**
 * INT, TERM and QUIT stop the tree, INT and QUIT in a hurry; a second one ends the lame-duck time or, when there is
 * none, kills it; HUP reloads it, TTIN and TTOU give each watcher a worker more or less. Returns what takes the handlers
 * away; they also go by themselves when the tree has ended.
 */
export function handleSignals(arbiter: Arbiter): () => void {
  let firstAt: number | undefined;
  const onStop = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    const hurry = HURRIED.includes(signal);
    if (firstAt === undefined) {
      firstAt = now;
      arbiter.emit({ type: 'signal', signal, effect: 'stop' });
      void arbiter.stop({ hurry });
    } else if (now - firstAt < SAME_WISH_MS) {
      // The terminal's signal may come after the one that something in between made of it.
      if (hurry) void arbiter.stop({ hurry });
    } else if (arbiter.skipLameDuck()) {
      firstAt = now;
      arbiter.emit({ type: 'signal', signal, effect: 'stop' });
    } else {
      arbiter.emit({ type: 'signal', signal, effect: 'force' });
      arbiter.force();
    }
  };
  const command = (effect: Effect, run: () => Promise<void>, ifItFails: string) => {
    return (signal: NodeJS.Signals): void => {
      arbiter.emit({ type: 'signal', signal, effect });
      run().catch((error: unknown) => {
        arbiter.emit({ type: 'warning', message: `${effect} failed, ${ifItFails}: ${wordsOf(error)}` });
      });
    };
  };
  const handlers: readonly (readonly [NodeJS.Signals, (signal: NodeJS.Signals) => void])[] = [
    ...STOP_SIGNALS.map((signal) => [signal, onStop] as const),
    ['SIGHUP', command('reload', () => arbiter.reload(), 'the old workers stay')],
    ['SIGTTIN', command('grow', () => arbiter.changeAll(1), 'there are as many workers as before')],
    ['SIGTTOU', command('shrink', () => arbiter.changeAll(-1), 'some workers may stay')],
  ];
  for (const [signal, handler] of handlers) process.on(signal, handler);
  const dispose = (): void => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
  void arbiter.done.then(dispose);
  return dispose;
}

/** What went wrong in the service, say, is said without the name of a class. */
function wordsOf(error: unknown): string {
  return error instanceof ServeError ? error.message : String(error);
}

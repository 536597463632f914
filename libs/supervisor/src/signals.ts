import type { Arbiter } from './arbiter.js';

/**
 * One key press may arrive several times: from the terminal and again from npm, Nx or a shell in between. Signals
 * within this time of the first are the same wish.
 */
export const SAME_WISH_MS = 200;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const;

/**
 * INT, TERM and QUIT stop the tree, a second one kills it, HUP reloads it. Returns what takes the handlers away;
 * they also go by themselves when the tree has ended.
 */
export function handleSignals(arbiter: Arbiter): () => void {
  let firstAt: number | undefined;
  const onStop = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      arbiter.emit({ type: 'signal', signal, effect: 'stop' });
      void arbiter.stop();
    } else if (now - firstAt >= SAME_WISH_MS) {
      arbiter.emit({ type: 'signal', signal, effect: 'force' });
      arbiter.force();
    }
  };
  const onHangup = (signal: NodeJS.Signals): void => {
    arbiter.emit({ type: 'signal', signal, effect: 'reload' });
    arbiter.reload().catch((error: unknown) => {
      arbiter.emit({ type: 'warning', message: `reload failed, the old workers stay: ${String(error)}` });
    });
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onStop);
  process.on('SIGHUP', onHangup);
  const dispose = (): void => {
    for (const signal of STOP_SIGNALS) process.off(signal, onStop);
    process.off('SIGHUP', onHangup);
  };
  void arbiter.done.then(dispose);
  return dispose;
}

import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { within } from '../within.js';

/** Bounds the wait for the channel's last messages. */
const CHANNEL_LIMIT_MS = 200;

/** The same for what was printed; longer only if somebody outside the group holds the pipe, or nobody reads ours. */
const OUTPUT_LIMIT_MS = 1000;

/** Resolves when all that an ended process had sent and printed was read: only then its end is told. */
export async function awaitLastWords(child: ChildProcess, printed: Promise<void>): Promise<void> {
  await Promise.all([channelClosed(child), outputRead(child, printed)]);
}

async function channelClosed(child: ChildProcess): Promise<void> {
  if (!child.connected) return;
  await within(CHANNEL_LIMIT_MS, new Promise((resolve) => child.once('disconnect', resolve)));
}

async function outputRead({ stdout, stderr }: ChildProcess, printed: Promise<void>): Promise<void> {
  if (await within(OUTPUT_LIMIT_MS, printed)) return;
  // It is read on, but nobody waits for it.
  for (const stream of [stdout, stderr]) if (stream instanceof Socket) stream.unref();
}

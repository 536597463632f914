import type { Stack } from '../stack.js';
import { frames } from './frames.js';
import { grpc } from './grpc.js';
import { raw } from './raw.js';
import { undici } from './undici.js';

/** What is compared; the first is the project's own, the second the floor. */
export const stacks: readonly Stack[] = [frames, raw, undici, grpc];

/** The stack of that name. */
export function findStack(name: string): Stack {
  const stack = stacks.find((candidate) => candidate.name === name);
  if (stack === undefined)
    throw new Error(`no stack '${name}'; there are ${stacks.map((s) => s.name).join(', ')}`);
  return stack;
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Pair } from './pair.js';
import { stacks } from './stacks/list.js';
import type { Transport } from './stack.js';

const cases = stacks.flatMap((stack) => [
  { stack, name: stack.name, transport: 'unix' as Transport },
  { stack, name: stack.name, transport: 'tcp' as Transport },
]);

test.each(cases)('$name carries small and large calls over $transport', async ({ stack, transport }) => {
  const folder = await mkdtemp(join(tmpdir(), 'hop-'));
  const pair = new Pair(stack, transport);
  try {
    await pair.start(folder);
    for (const bytes of [16, 600_000]) {
      // A client rejects an answer of another length than it has sent.
      const sample = await pair.measure({ bytes, concurrency: 3, durationMs: 1 });
      expect(sample.calls).toBeGreaterThanOrEqual(3);
      expect(sample.clientCpuMs).toBeGreaterThan(0);
      expect(sample.serverCpuMs).toBeGreaterThan(0);
    }
  } finally {
    pair.stop();
    await rm(folder, { recursive: true });
  }
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { warmUp } from './warm-up.js';

// A warm-up that fails is not told: it would only make development slow again.
test('a process warms up without the service, whose code is not run', async () => {
  const workingDir = await mkdtemp(join(tmpdir(), 'bentots-warm-'));
  await writeFile(join(workingDir, 'service.mjs'), "throw new Error('it ran');");
  await expect(
    warmUp({
      target: { identifier: 'service.mjs:svc', workingDir },
      runnerMap: {},
      socket: 'edge',
      timeoutMs: 1000,
      graceMs: 1000,
      metrics: { enabled: false, buckets: [] },
      log: { level: 'silent', format: 'text', access: false },
      protocolVersion: 'v1',
      reflection: true,
      channelz: true,
      maxMessageBytes: 1000,
    }),
  ).resolves.toBeUndefined();
  await rm(workingDir, { recursive: true });
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'e2e',
    environment: 'node',
    include: ['*.e2e.ts', 'soak/*.spec.ts'],
    reporters: ['verbose', ['json', { outputFile: 'out-tsc/test-report.json' }]],
    // Every file starts process trees of its own; side by side they would only wait for the same cores.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 30_000 } },
    retry: process.env['CI'] ? 1 : 0,
  },
});

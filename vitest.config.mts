import { defineConfig } from 'vitest/config';

// One configuration for every project; each runs it with its own folder as root.
// `ssr.resolve.conditions` is the form that resolves our libraries to their sources (plain `resolve.conditions` does not).
export default defineConfig({
  ssr: { resolve: { conditions: ['@bentots/source'] } },
  test: {
    environment: 'node',
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts', '*.e2e.ts'],
    reporters: ['default', ['json', { outputFile: 'out-tsc/test-report.json' }]],
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});

import { defineConfig } from 'vitest/config';

// One configuration for every project; each runs it with its own folder as root.
// `ssr.resolve.conditions` is the form that resolves our libraries to their sources (plain `resolve.conditions` does not).
export default defineConfig({
  ssr: { resolve: { conditions: ['@bentots/source'] } },
  test: {
    environment: 'node',
    include: ['src/**/*.spec.ts', 'test/**/*.spec.ts', '*.e2e.ts'],
    reporters: ['default', ['json', { outputFile: 'out-tsc/test-report.json' }]],
    // No promise of the product, only an end for what hangs: a machine with much else to do is slow, not wrong.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    // What passes at the second try is named as flaky at the end of `npm test`.
    retry: process.env['CI'] ? 1 : 0,
  },
});

import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import * as jsonc from 'jsonc-eslint-parser';
import tseslint from 'typescript-eslint';

/** Outside packages that enter by one door each: [pattern, the rooms that may import it, why]. */
const doors = [
  {
    packages: ['@nestjs/*'],
    rooms: ['apps/runner-server', 'apps/http-api', 'apps/grpc-api'],
    why: 'Nest composes the server apps and nothing else',
  },
  {
    packages: ['prom-client', 'pino', '@opentelemetry/*'],
    rooms: ['libs/telemetry'],
    why: 'what operators see is made in libs/telemetry',
  },
  {
    packages: ['node:child_process', 'child_process', 'node:cluster', 'cluster'],
    rooms: ['libs/supervisor'],
    why: 'the supervisor is the only spawner of processes',
  },
  { packages: ['@grpc/*'], rooms: ['apps/grpc-api'], why: 'gRPC lives at its edge' },
  {
    packages: ['sharp', 'bmp-ts'],
    rooms: ['libs/service'],
    why: 'pictures are decoded by the image descriptor',
  },
  {
    packages: ['chokidar', 'ignore'],
    rooms: ['libs/start'],
    why: 'files are watched by whoever starts servers',
  },
  {
    packages: ['tsx', 'tsx/*'],
    rooms: ['libs/service-loader'],
    why: 'user code is loaded by the service loader',
  },
];

/** Files that prove things from outside: they may start processes and speak protocols as a user would. */
const outside = ['e2e/**', 'tools/**', '**/*.spec.ts', '**/test/**', '*.mjs'];

const doorRules = [...new Set(doors.flatMap((door) => door.rooms)), 'everywhere else'].map((room) => {
  const closed = doors.filter((door) => !door.rooms.includes(room));
  return {
    files: room === 'everywhere else' ? ['{apps,libs,examples}/**/*.ts'] : [`${room}/**/*.ts`],
    ignores:
      room === 'everywhere else'
        ? [...outside, ...doors.flatMap((door) => door.rooms.map((r) => `${r}/**`))]
        : outside,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: closed.map((door) => ({
            group: door.packages,
            message: `${door.why}; its door is ${door.rooms.join(', ')}.`,
          })),
        },
      ],
    },
  };
});

const may = (sourceTag, ...onlyDependOnLibsWithTags) => ({ sourceTag, onlyDependOnLibsWithTags });

/** The arrows of the floor plan: who may import whom. */
const arrows = [
  may('layer:foundation', 'room:errors'),
  may('room:errors'),
  may('layer:domain', 'layer:domain', 'layer:foundation'),
  may('room:service', 'layer:foundation'),
  may('room:service-loader', 'room:service', 'layer:foundation'),
  may('room:runner-map', 'layer:foundation'),
  may('room:runner-wire', 'room:service', 'layer:foundation'),
  may('room:runner-client', 'room:runner-map', 'room:runner-wire', 'room:service', 'layer:foundation'),
  may('room:endpoint', 'room:service', 'layer:foundation'),
  may('room:batching', 'room:errors'),
  may('room:supervisor', 'room:errors'),
  may('room:start', 'room:supervisor', 'layer:domain', 'layer:foundation'),
  may('layer:app', 'layer:operation', 'layer:domain', 'layer:foundation'),
  may('room:cli', 'room:start', 'room:supervisor', 'layer:foundation'),
  may('layer:example', 'room:service', 'room:errors'),
  may('layer:e2e', 'layer:foundation', 'room:service', 'room:runner-client', 'room:runner-map', 'room:load'),
  may('layer:tool', 'layer:foundation', 'layer:domain', 'layer:operation', 'layer:tool', 'layer:example'),
];

/** Every package that a project imports stands in its package.json, and no other; `byPath` are reached by import.meta.resolve. */
const dependencyChecks = (files, byPath) => ({
  files,
  ignores: ['package.json'],
  languageOptions: { parser: jsonc },
  rules: {
    '@nx/dependency-checks': [
      'error',
      {
        ignoredFiles: ['{projectRoot}/**/*.spec.ts', '{projectRoot}/test/**/*', '{projectRoot}/*.config.*'],
        // Named by no import of ours: a helper of the compiler, and peers that Nest loads by name.
        ignoredDependencies: ['tslib', 'reflect-metadata', 'rxjs', '@grpc/proto-loader', ...byPath],
      },
    ],
  },
});

export default tseslint.config(
  {
    ignores: [
      '**/dist',
      '**/out-tsc',
      '**/node_modules',
      '**/coverage',
      '**/fixtures/**',
      '.nx',
      '**/*.gen.ts',
    ],
  },
  ...nx.configs['flat/base'],
  ...nx.configs['flat/typescript'],
  ...nx.configs['flat/javascript'],
  {
    files: ['**/*.ts', '**/*.mts', '**/*.mjs', '**/*.js'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          banTransitiveDependencies: true,
          allow: ['^.*/eslint\\.config\\.mjs$'],
          depConstraints: arrows,
        },
      ],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-explicit-any': 'error',
      'no-console': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['{apps,libs}/*/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
    },
  },
  {
    files: ['{apps,libs,examples}/**/*.ts'],
    ignores: ['libs/config/**', ...outside],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'The environment is read in libs/config only.' },
      ],
    },
  },
  ...doorRules,
  { files: outside, rules: { 'no-console': 'off', '@typescript-eslint/no-non-null-assertion': 'off' } },
  dependencyChecks(['**/package.json'], []),
  dependencyChecks(
    ['apps/cli/package.json'],
    ['@bentots/runner-server', '@bentots/http-api', '@bentots/grpc-api'],
  ),
  dependencyChecks(['apps/http-api/package.json'], ['swagger-ui-dist']),
  prettier,
);

import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Loaded, fixtures, loadInChild, loadOneInChild } from '../test/load-in-child.js';

const esm = join(fixtures, 'esm');

describe('a service is loaded straight from source, by the very library that loads it', () => {
  test.each([
    ['esm/service.ts', 'esm-ts'],
    ['esm/typed.mts', 'esm-mts'],
    ['esm/typed.cts', 'esm-cts'],
    ['esm/plain.js', 'esm-js'],
    ['esm/plain.mjs', 'esm-mjs'],
    ['esm/plain.cjs', 'esm-cjs'],
    ['esm/itself.cjs', 'itself'],
    ['plain/service.ts', 'plain-ts'],
    ['plain/modern.js', 'plain-js'],
    ['plain/requires-modern.ts', 'plain-js'],
    ['commonjs/service.js', 'commonjs-js'],
    ['commonjs/typed.ts', 'commonjs-ts'],
    ['esm/nested/models.ts:models.first.svc', 'nested'],
  ])('%s', async (identifier, name) => {
    expect(await loadOneInChild(identifier, fixtures)).toEqual({
      name,
      isOurs: true,
      identifier,
      file: join(fixtures, identifier.replace(/:.*/, '')),
      workingDir: fixtures,
    });
  });

  test('all kinds in one process share the library', async () => {
    const names = ['typed.cts', 'plain.cjs', 'service.ts', 'typed.mts', 'plain.mjs'];
    const loaded = await loadInChild(...names.map((name) => [name, esm] as const));
    expect(loaded.map(({ isOurs }) => isOurs)).toEqual(names.map(() => true));
  });

  test.each(['service.ts', 'plain.mjs', 'typed.cts', 'plain.cjs'])(
    '%s in a folder that has no library, or another copy, gets ours',
    async (name) => {
      const bare = await mkdtemp(join(tmpdir(), 'bare-'));
      await cp(esm, bare, { recursive: true });
      const other = await mkdtemp(join(tmpdir(), 'other-'));
      await cp(esm, other, { recursive: true });
      await installFakeLibrary(other);
      const loaded = await loadInChild([name, bare], [name, other]);
      expect(loaded).toMatchObject([{ isOurs: true }, { isOurs: true }]);
    },
  );

  test('a project directory is the working directory of what it loads', async () => {
    const workingDir = join(fixtures, 'project-file');
    const loaded = await loadOneInChild('project-file', fixtures);
    expect(loaded).toMatchObject({ name: 'from-bentofile', identifier: 'src/main.js:app', workingDir });
    expect(await loadOneInChild(loaded.identifier ?? '', loaded.workingDir ?? '')).toEqual(loaded);
  });
});

describe("a user's mistake has its own message and code, with file and line", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'syntax.ts',
      'service_broken',
      /^cannot load syntax.ts at syntax.ts:2:30: syntax error: Unexpected ";"\n/,
    ],
    [
      'syntax.mjs',
      'service_broken',
      /at syntax.mjs:2:28: syntax error: .*\n.*\n> 2 \| export const limit = 'ü' \+ ;\n {4}\| {28}\^$/,
    ],
    ['syntax.cjs', 'service_broken', /at syntax.cjs:2:17: syntax error/],
    ['imports-syntax.ts', 'service_broken', /^cannot load imports-syntax.ts at syntax.ts:2:30: syntax error/],
    [
      'throws.ts',
      'service_broken',
      /at lib\/load-model.ts:6:9: it throws on import: RangeError: no model in weights.bin\n.*\n> 6 \| /,
    ],
    ['throws-text.js', 'service_broken', /^cannot load throws-text.js: it throws 'no reason' on import$/],
    ['throws-json.js', 'service_broken', /at throws-json.js:1:29: it throws on import: SyntaxError/],
    [
      'imports-throwing-cjs.mjs',
      'service_broken',
      /at throws.cjs:2:7: it throws on import: Error: thrown in CommonJS/,
    ],
    ['bad-name.ts', 'service_invalid', /at bad-name.ts:3:20: service name 'not a name!' is not valid/],
    ['missing-file.ts', 'service_broken', /at missing-file.ts:2:25: could not resolve ".\/lib\/nothing.js"/],
    [
      'missing-package.js',
      'service_broken',
      /at missing-package.js:1: cannot find package 'bentots-no-such-package'; install/,
    ],
    [
      'missing-package.cjs',
      'service_broken',
      /at missing-package.cjs:1: cannot find package 'bentots-no-such-package'/,
    ],
    ['missing-export.ts', 'service_broken', /at missing-export.ts:1:10: syntax error: .* 'nothing'/],
    [
      'none.ts',
      'service_invalid',
      /^none.ts exports no Service: it has predict \(a function\), threshold \(a number\)/,
    ],
    ['two.ts', 'service_invalid', /^two.ts exports 2 services: first \('one'\), second \('two'\); name one/],
    ['two.ts:third', 'service_not_found', /^two.ts has no 'third'; it has first \(Service 'one'\)/],
    [
      'nested/models.ts:models.note',
      'service_invalid',
      /'models.note' of nested\/models.ts is a string, not a Service/,
    ],
    [
      'nowhere',
      'service_not_found',
      /^there is no module 'nowhere'; .*esm holds bad-name.ts, .* and \d+ more$/,
    ],
    ['../plain/service.ts', 'service_not_found', /outside the working directory/],
  ];
  const answers = new Map<string, Loaded>();

  beforeAll(async () => {
    const loaded = await loadInChild(...cases.map(([identifier]) => [identifier, esm] as const));
    for (const [index, answer] of loaded.entries()) answers.set(cases[index]?.[0] ?? '', answer);
  });

  test.each(cases)('%s is %s', (identifier, code, message) => {
    expect(answers.get(identifier)?.message).toMatch(message);
    expect(answers.get(identifier)?.code).toBe(code);
    expect(answers.get(identifier)?.message).not.toMatch(/^ +at /m);
  });

  test('the original error stays as the cause', () => {
    expect(answers.get('throws.ts')?.cause).toMatch(/RangeError: no model in weights.bin\n +at loadModel/);
  });

  test('each mistake is reported the same in a process of its own', async () => {
    for (const identifier of ['imports-throwing-cjs.mjs', 'syntax.mjs', 'syntax.cjs']) {
      expect(await loadOneInChild(identifier, esm)).toMatchObject({
        message: answers.get(identifier)?.message,
      });
    }
  });

  test('await at the top of CommonJS TypeScript, and TypeScript below JavaScript, are told the way out', async () => {
    const awaits = await loadOneInChild('plain/awaits.ts', fixtures);
    expect(awaits.message).toMatch(/at plain\/awaits.ts:3:23: syntax error: .*add "type": "module"/);
    // Newer versions of Node import TypeScript by themselves.
    const below = await loadOneInChild('esm/imports-ts.js', fixtures);
    if (!('typescript' in process.features)) {
      expect(below.message).toContain('only a service module that is TypeScript');
    }
  });

  test('a tsconfig.json that cannot be read is named', async () => {
    const project = await mkdtemp(join(tmpdir(), 'tsconfig-'));
    await writeFile(join(project, 'service.ts'), '');
    await writeFile(join(project, 'tsconfig.json'), '{ "extends": "./absent.json" }');
    expect(await loadOneInChild('service.ts', project)).toMatchObject({
      code: 'service_broken',
      message: expect.stringMatching(/tsconfig.json cannot be used: .*absent.json/),
    });
  });
});

/** Another `@bentots/service`, as a service installed apart from its server would bring. */
async function installFakeLibrary(folder: string): Promise<void> {
  const library = join(folder, 'node_modules/@bentots/service');
  await mkdir(library, { recursive: true });
  await writeFile(
    join(library, 'package.json'),
    JSON.stringify({ name: '@bentots/service', type: 'module', exports: './index.js' }),
  );
  await writeFile(
    join(library, 'index.js'),
    'export class Service {}\nexport const text = () => undefined;\n',
  );
}

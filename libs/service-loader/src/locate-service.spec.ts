import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { formatLocation, locateService } from './locate-service.js';

/** A directory with these files; texts that begin with `->` become links. */
async function createProject(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'locate-')));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await (text.startsWith('->')
      ? symlink(text.slice(2), join(directory, name))
      : writeFile(join(directory, name), text));
  }
  return directory;
}

/** The location as an identifier, when the working directory is still `directory`. */
async function locate(identifier: string, directory: string): Promise<string> {
  const location = await locateService(identifier, directory);
  return `${location.workingDir.slice(directory.length)}|${formatLocation(location)}`;
}

test('paths, names without ending, dotted names and index files are found', async () => {
  const directory = await createProject({
    'service.ts': '',
    'service.js': '',
    'src/app.mjs': '',
    'pkg/index.cts': '',
    'a:b.js': '',
  });
  expect(await locate('service', directory)).toBe('|service.ts');
  expect(await locate('service.js:svc', directory)).toBe('|service.js:svc');
  expect(await locate('./src/app:a.b', directory)).toBe('|src/app.mjs:a.b');
  expect(await locate('src.app', directory)).toBe('|src/app.mjs');
  expect(await locate('pkg:svc', directory)).toBe('|pkg/index.cts:svc');
  expect(await locate('a:b.js', directory)).toBe('|a:b.js');
  expect(await locate(join(directory, 'src/app.mjs'), directory)).toBe('|src/app.mjs');
});

test('a project directory becomes the working directory; its file names the service', async () => {
  const directory = await createProject({
    'named/bentofile.yaml': "service: 'src.main:app'\nlabels: { stage: 1 }\n",
    'named/src/main.ts': '',
    'named/service.ts': '',
    'plain/service.cjs': '',
    'empty/bentofile.yaml': '',
    'empty/service.mts': '',
  });
  expect(await locate('named', directory)).toBe('/named|src/main.ts:app');
  expect(await locate('named:other', directory)).toBe('/named|src/main.ts:other');
  expect(await locate('.', join(directory, 'plain'))).toBe('|service.cjs');
  expect(await locateService('../plain', join(directory, 'named'))).toEqual({
    file: join(directory, 'plain/service.cjs'),
    attribute: undefined,
    workingDir: join(directory, 'plain'),
  });
  expect(await locate('empty', directory)).toBe('/empty|service.mts');
});

test('nothing outside the working directory is loaded, by path or by link', async () => {
  const outside = await createProject({ 'service.ts': '', 'inner/service.ts': '' });
  const directory = await createProject({
    'link.ts': `->${outside}/service.ts`,
    folder: `->${outside}/inner`,
    'project/bentofile.yaml': "service: '../main.ts'\n",
    'main.ts': '',
    'alias.ts': '->main.ts',
  });
  const refused = {
    code: 'service_not_found',
    message: expect.stringContaining('outside the working directory'),
  };
  await expect(locateService('link.ts', directory)).rejects.toMatchObject(refused);
  await expect(locateService('folder/service.ts', directory)).rejects.toMatchObject(refused);
  await expect(locateService(`${outside}/service.ts:svc`, directory)).rejects.toMatchObject(refused);
  await expect(locateService('project', directory)).rejects.toMatchObject(refused);
  expect(await locate('alias.ts', directory)).toBe('|main.ts');
});

test('a missing module is told what is there', async () => {
  const directory = await createProject({ 'main.ts': '', 'notes.txt': '', 'src/app.js': '' });
  await expect(locateService('service:svc', directory)).rejects.toMatchObject({
    code: 'service_not_found',
    message: `there is no module 'service'; ${directory} holds main.ts`,
  });
  await expect(locateService('src/nope.ts', directory)).rejects.toThrow(`${directory}/src holds app.js`);
  await expect(locateService('nope/nope.ts', directory)).rejects.toThrow(`${directory} holds main.ts`);
  await expect(locateService('notes.txt', directory)).rejects.toMatchObject({
    code: 'service_invalid',
    message: expect.stringContaining('.ts, .mts'),
  });
  await expect(locateService('src', directory)).rejects.toThrow(
    `directory ${directory}/src holds no service`,
  );
});

test.each([
  ["service: 'a.ts:svc\nlabels: {\n", 'line 3, column 1'],
  ['servce: service.ts\n', 'servce'],
  ['service: [a]\n', "entry 'service'"],
  ["service: 'a:'\n", "entry 'service'"],
  ['- service\n', 'known entries are service, description, labels'],
])('a wrong bentofile.yaml is refused with its place: %j', async (text, place) => {
  const directory = await createProject({ 'bentofile.yaml': text, 'service.ts': '' });
  await expect(locateService('.', directory)).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining(place),
    details: { file: join(directory, 'bentofile.yaml') },
  });
});

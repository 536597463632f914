import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const project = fileURLToPath(new URL('../../', import.meta.url));
const tools = fileURLToPath(new URL('../../../../node_modules/.bin', import.meta.url));

function buf(...args: string[]): string {
  const env = { ...process.env, PATH: `${tools}${delimiter}${process.env['PATH']}` };
  return execFileSync('buf', args, { cwd: project, env, encoding: 'utf8' });
}

test('the generated messages are those of the .proto files', async () => {
  const out = await mkdtemp(join(tmpdir(), 'bentots-generated-'));
  try {
    buf('generate', '--output', out, '--exclude-path', 'proto/grpc/reflection/v1alpha');
    const wire = join(out, 'src/wire');
    const names = (await readdir(wire, { recursive: true })).filter((name) => name.endsWith('.gen.ts'));
    expect(names.toSorted()).toEqual([
      'bentoml/grpc/v1/service.gen.ts',
      'bentoml/grpc/v1alpha1/service.gen.ts',
      'google/protobuf/any.gen.ts',
      'google/protobuf/duration.gen.ts',
      'google/protobuf/wrappers.gen.ts',
      'google/rpc/error_details.gen.ts',
      'google/rpc/status.gen.ts',
      'grpc/health/v1/health.gen.ts',
      'grpc/reflection/v1/reflection.gen.ts',
    ]);
    for (const name of names) {
      const committed = await readFile(join(project, 'src/wire', name), 'utf8');
      expect(await readFile(join(wire, name), 'utf8'), `${name}: run nx generate grpc-api`).toBe(committed);
    }
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});

test('the descriptors that reflection serves are those of the .proto files', async () => {
  const out = await mkdtemp(join(tmpdir(), 'bentots-descriptors-'));
  try {
    const file = join(out, 'descriptors.binpb');
    buf('build', '--as-file-descriptor-set', '--exclude-source-info', '--output', file);
    expect(await readFile(join(project, 'proto/descriptors.binpb'))).toEqual(await readFile(file));
  } finally {
    await rm(out, { recursive: true, force: true });
  }
});

test('the .proto files follow the rules that buf.yaml sets', () => {
  expect(buf('lint')).toBe('');
});

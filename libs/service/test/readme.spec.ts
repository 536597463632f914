import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createLocalHandle } from '../src/index.js';
import { asText, body } from './bytes.js';
import { svc } from './readme-example.js';

test('the example of the README is the one that is tested', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = await readFile(new URL('./readme-example.ts', import.meta.url), 'utf8');
  const shown = /```ts\n(.*?)```/s.exec(readme)?.[1];
  const code = example.replace("'../src/index.js'", "'@bentots/service'").replace(/^\/\/.*\n/gm, '');
  expect(shown).toBe(code);
});

test('the example of the README answers', async () => {
  for (const { definition } of svc.runners.values()) definition.bind(await createLocalHandle(definition));
  const api = svc.apis.get('double');
  if (api === undefined) throw new Error('the example has no API of this name');
  const input = await api.input.decodeBody(body('[[1, 2], [3, 4]]'));
  const context = {
    apiName: 'double',
    requestId: '1',
    protocol: 'http',
    request: { metadata: {} },
    response: { status: undefined, metadata: {} },
    state: {},
    signal: new AbortController().signal,
    deadline: undefined,
  } as const;
  const answer = await api.output.encodeBody(await api.call(input, context));
  expect(asText(answer)).toBe('{"doubled":[[2,4],[6,8]]}');
});

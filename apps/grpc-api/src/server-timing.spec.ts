import { ServeError } from '@bentots/errors';
import type { ServiceError } from '@grpc/grpc-js';
import { json, Service } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { createAskedRunner } from '../test/asked-runner.js';
import { startApi } from '../test/start-api.js';

const io = { input: json(), output: json() };
const content = { $case: 'json', value: null } as const;

/** Names of the entries, in order. */
function namesOf(values: readonly unknown[]): string[] {
  return values.flatMap((value) =>
    String(value)
      .split(', ')
      .map((entry) => entry.split(';')[0] ?? ''),
  );
}

describe('the server-timing trailer', () => {
  const { runner } = createAskedRunner((what) =>
    what === 'good' ? Promise.resolve('good') : Promise.reject(new ServeError('overloaded', 'full')),
  );
  const service = new Service('demo', { runners: [runner] })
    .api('good', io, () => runner.ask.run('good'))
    .api('bad', io, () => runner.ask.run('bad'))
    .api('alone', io, () => 1);

  test('comes with an answer for which a runner was called, and with no other', async () => {
    const client = (await startApi(service)).client();
    const { initial, trailing } = await client.exchange('good', content);
    expect(namesOf(trailing.get('server-timing'))).toEqual([
      'queue',
      'batch',
      'infer',
      'size',
      'hop',
      'app',
      'total',
    ]);
    expect(initial.get('server-timing')).toEqual([]);
    expect((await client.exchange('alone', content)).trailing.get('server-timing')).toEqual([]);
  });

  test('comes with an error too, beside what else its trailers say', async () => {
    const client = (await startApi(service)).client();
    const { metadata } = await client.call('bad', content).then(
      () => Promise.reject(new Error('the call was answered')),
      (error: unknown) => error as ServiceError,
    );
    expect(namesOf(metadata.get('server-timing'))).toEqual(['runner', 'app', 'total']);
    expect(metadata.get('bentots-error-code')).toEqual(['overloaded']);
  });
});

test('runner calls have the priority of their API', async () => {
  const { runner, asked } = createAskedRunner();
  const service = new Service('demo', { runners: [runner] })
    .api('usual', io, () => runner.ask.run('x'))
    .api('first', { ...io, priority: 'high' }, () => runner.ask.run('x'));
  const client = (await startApi(service)).client();
  await client.call('usual', content);
  await client.call('first', content);
  expect(asked.map(({ priority }) => priority)).toEqual(['normal', 'high']);
});

import { ServeError } from '@bentots/errors';
import { json, Service, text } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { createAskedRunner } from '../test/asked-runner.js';
import { createGate, post, startEdge } from '../test/edge.js';

const io = { input: json(), output: json() };

/** Names of the entries, in order. */
function namesOf(response: Response): string[] | undefined {
  return response.headers
    .get('server-timing')
    ?.split(', ')
    .map((entry) => entry.split(';')[0] ?? '');
}

const ONE_CALL = ['queue', 'batch', 'infer', 'size', 'hop', 'app', 'total'];

describe('Server-Timing', () => {
  test('is on an answer for which a runner was called, and on no other', async () => {
    const { runner } = createAskedRunner();
    const service = new Service('demo', { runners: [runner] })
      .api('ask', io, () => runner.ask.run('x'))
      .api('think', io, () => 1);
    const edge = await startEdge(service);
    const asked = await post(`${edge.url}/ask`, {});
    expect(namesOf(asked)).toEqual(ONE_CALL);
    expect(asked.headers.get('server-timing')).toContain('size;desc="3"');
    expect(namesOf(await post(`${edge.url}/think`, {}))).toBeUndefined();
    expect(namesOf(await fetch(`${edge.url}/livez`))).toBeUndefined();
  });

  test('counts from the head of the request to its answer, and no more', async () => {
    const { runner } = createAskedRunner();
    const edge = await startEdge(
      new Service('demo', { runners: [runner] }).api('ask', io, () => runner.ask.run('x')),
    );
    const start = performance.now();
    const response = await post(`${edge.url}/ask`, {});
    const clientMs = performance.now() - start;
    const entries = [...(response.headers.get('server-timing') ?? '').matchAll(/(\w+);dur=([\d.]+)/g)];
    const dur = Object.fromEntries(entries.map(([, name = '', value]) => [name, Number(value)]));
    const { total = 0, ...parts } = dur;
    expect(Object.values(parts).reduce((sum, value) => sum + value, 0)).toBeCloseTo(total, 1);
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThanOrEqual(clientMs);
  });

  test('is on errors too: of the runner, of the function behind it, of the headers that it chose', async () => {
    const { runner } = createAskedRunner((what) =>
      what === 'good' ? Promise.resolve('good') : Promise.reject(new ServeError('overloaded', 'full')),
    );
    const service = new Service('demo', { runners: [runner] })
      .api('refused', io, () => runner.ask.run('bad'))
      .api('odd', io, async () => {
        await runner.ask.run('good');
        throw new TypeError('odd');
      })
      .api('header', io, async (_, context) => {
        context.response.metadata['x-model'] = 'a\nb';
        return runner.ask.run('good');
      });
    const edge = await startEdge(service);
    const refused = await post(`${edge.url}/refused`, {});
    expect([refused.status, namesOf(refused)]).toEqual([503, ['runner', 'app', 'total']]);
    for (const name of ['odd', 'header']) {
      const response = await post(`${edge.url}/${name}`, {});
      expect([response.status, namesOf(response)]).toEqual([500, ONE_CALL]);
    }
  });

  test('of a request whose time was over tells how long its runner had been at it', async () => {
    const gate = createGate();
    const { runner } = createAskedRunner(() => gate.opened);
    const service = new Service('demo', { runners: [runner] }).api('ask', io, () => runner.ask.run('x'));
    const response = await post(`${(await startEdge(service)).url}/ask`, {}, { 'x-request-timeout': '50ms' });
    expect([response.status, namesOf(response)]).toEqual([504, ['runner', 'app', 'total']]);
    const runnerMs = Number(/runner;dur=([\d.]+)/.exec(response.headers.get('server-timing') ?? '')?.[1]);
    expect(runnerMs).toBeGreaterThan(25);
    gate.open();
  });

  test('goes beside what the function says of its own', async () => {
    const { runner } = createAskedRunner();
    const service = new Service('demo', { runners: [runner] }).api('ask', io, async (_, context) => {
      context.response.metadata['Server-Timing'] = 'cache;desc="miss"';
      return runner.ask.run('x');
    });
    expect(namesOf(await post(`${(await startEdge(service)).url}/ask`, {}))).toEqual([...ONE_CALL, 'cache']);
  });
});

test('runner calls have the priority of their API', async () => {
  const { runner, asked } = createAskedRunner();
  const words = { input: text(), output: text() };
  const service = new Service('demo', { runners: [runner] })
    .api('first', { ...words, priority: 'high' }, (what) => runner.ask.run(what))
    .api('usual', words, (what) => runner.ask.run(what))
    .api('last', { ...words, priority: 'low' }, (what) => runner.ask.run(what));
  const edge = await startEdge(service);
  for (const name of ['last', 'usual', 'first']) {
    await fetch(`${edge.url}/${name}`, { method: 'POST', body: 'x' });
  }
  expect(asked.map(({ priority }) => priority)).toEqual(['low', 'normal', 'high']);
});

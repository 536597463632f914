import { Service, json } from '@bentots/service';
import { expect, test } from 'vitest';
import { inbound } from '../../test/harness.js';
import { Call } from '../call.js';
import { type Layer, composeLayers } from './layer.js';

test('the first layer is the outermost', async () => {
  const steps: string[] = [];
  const named =
    (name: string): Layer =>
    (next) =>
    async (call) => {
      steps.push(`${name} in`);
      const result = await next(call);
      steps.push(`${name} out`);
      return result;
    };
  const run = composeLayers([named('a'), named('b')], async (call) => {
    steps.push('core');
    return call.inbound.encode(call.api.output, 1);
  });
  const service = new Service('test').api('x', { input: json(), output: json() }, () => 1);
  const [api] = service.apis.values();
  if (api === undefined) throw new Error('no API');
  expect(await run(new Call(api, inbound(), {}, Infinity))).toBe(1);
  expect(steps).toEqual(['a in', 'b in', 'core', 'b out', 'a out']);
});

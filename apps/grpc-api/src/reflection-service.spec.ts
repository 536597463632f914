import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { json, Service, tensor } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { startApi } from '../test/start-api.js';
import { protocolV1Alpha1 } from './protocol-v1alpha1.js';

const run = promisify(execFile);
const buf = fileURLToPath(new URL('../../../node_modules/.bin/buf', import.meta.url));

const service = new Service('reflected')
  .api('echo', { input: json(), output: json() }, (value) => value)
  .api('sum', { input: tensor(), output: json() }, ({ data }) => data.reduce((sum, value) => sum + value, 0));

/** What a client without our .proto files gets, by the tool that others use. */
async function curl(address: string, protocol: string, path: string, ...args: string[]): Promise<string> {
  const how = ['--protocol', 'grpc', '--http2-prior-knowledge', '--reflect-protocol', protocol];
  const { stdout } = await run(buf, ['curl', ...how, ...args, `http://${address}${path}`]);
  return stdout;
}

describe.each(['grpc-v1', 'grpc-v1alpha'])('a client that asks by %s', (protocol) => {
  test('is told every method', async () => {
    const { address } = await startApi(service, { reflection: true });
    expect((await curl(address, protocol, '', '--list-methods')).trim().split('\n')).toEqual([
      'bentoml.grpc.v1.BentoService/Call',
      'bentoml.grpc.v1.BentoService/ServiceMetadata',
      'grpc.health.v1.Health/Check',
      'grpc.health.v1.Health/List',
      'grpc.health.v1.Health/Watch',
      'grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
    ]);
  });

  test('calls with well-known types, arrays and maps', async () => {
    const { address } = await startApi(service, { reflection: true });
    const path = '/bentoml.grpc.v1.BentoService/Call';
    const value = { apiName: 'echo', json: { a: [1, null, 'x'] } };
    const echoed = await curl(address, protocol, path, '-d', JSON.stringify(value));
    expect(JSON.parse(echoed)).toEqual({ json: value.json });
    const array = { dtype: 'DTYPE_FLOAT', shape: [2], floatValues: [1.5, 2] };
    const summed = await curl(
      address,
      protocol,
      path,
      '-d',
      JSON.stringify({ apiName: 'sum', ndarray: array }),
    );
    expect(JSON.parse(summed)).toEqual({ json: 3.5 });
    const listed = await curl(address, protocol, '/grpc.health.v1.Health/List', '-d', '{}');
    expect(JSON.parse(listed).statuses).toMatchObject({ reflected: { status: 'SERVING' } });
  });
});

test('of v1alpha1, what is told and called is v1alpha1', async () => {
  const { address } = await startApi(service, { reflection: true, protocol: protocolV1Alpha1 });
  expect(await curl(address, 'grpc-v1', '', '--list-methods')).not.toContain('bentoml.grpc.v1.');
  const path = '/bentoml.grpc.v1alpha1.BentoService/Call';
  const echoed = await curl(address, 'grpc-v1', path, '-d', '{"apiName":"echo","json":[1]}');
  expect(JSON.parse(echoed)).toEqual({ json: [1] });
});

test('without reflection a client is told nothing', async () => {
  const { address } = await startApi(service);
  await expect(curl(address, 'grpc-v1', '', '--list-methods')).rejects.toThrow();
});

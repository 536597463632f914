import { status } from '@grpc/grpc-js';
import { file, json, Service, tensor } from '@bentots/service';
import { createApiMetrics, MergedMetrics, MetricsRegistry } from '@bentots/telemetry';
import { describe, expect, test } from 'vitest';
import type { StartedApi } from '../test/start-api.js';
import { startApi } from '../test/start-api.js';
import { protocolV1Alpha1 } from './protocol-v1alpha1.js';
import {
  File_FileType as FileType,
  NDArray,
  NDArray_DType as DType,
  Request,
  Response,
} from './wire/bentoml/grpc/v1alpha1/service.gen.js';
import { HealthCheckResponse_ServingStatus as ServingStatus } from './wire/grpc/health/v1/health.gen.js';

const service = new Service('older')
  .api('echo', { input: json(), output: json() }, (value) => value)
  .api('double', { input: tensor(), output: tensor() }, (value) => {
    value.data.forEach((item, index) => (value.data[index] = item * 2));
    return value;
  })
  .api('kind', { input: file(), output: json() }, ({ mimeType }) => mimeType ?? null)
  .api('copy', { input: file(), output: file() }, (value) => value);

const PATH = '/bentoml.grpc.v1alpha1.BentoService/Call';

async function call({ client }: StartedApi, apiName: string, content: Request['content']) {
  return (await client().unary(PATH, Request, Response, { apiName, content })).value.content;
}

describe('a server of bentoml.grpc.v1alpha1', () => {
  const start = (): Promise<StartedApi> => startApi(service, { protocol: protocolV1Alpha1 });

  test('carries JSON and tensors', async () => {
    const api = await start();
    expect(await call(api, 'echo', { $case: 'json', value: { a: [1] } })).toEqual({
      $case: 'json',
      value: { a: [1] },
    });
    const array = { ...NDArray.decode(new Uint8Array()), dtype: DType.DTYPE_FLOAT, floatValues: [1, 2.5] };
    expect(await call(api, 'double', { $case: 'ndarray', value: array })).toMatchObject({
      $case: 'ndarray',
      value: { dtype: DType.DTYPE_FLOAT, shape: [2], floatValues: [2, 5] },
    });
  });

  test('reads and writes the kind of a file as one of its list', async () => {
    const api = await start();
    const picture = { kind: FileType.FILE_TYPE_PNG, content: Uint8Array.of(0, 255) };
    expect(await call(api, 'kind', { $case: 'file', value: picture })).toMatchObject({ value: 'image/png' });
    const copy = await call(api, 'copy', { $case: 'file', value: picture });
    expect(copy).toMatchObject({ $case: 'file', value: { kind: FileType.FILE_TYPE_PNG } });
    expect(copy?.$case === 'file' && [...copy.value.content]).toEqual([0, 255]);
    const nameless = await call(api, 'copy', { $case: 'file', value: { content: Uint8Array.of(1) } });
    expect(nameless).toMatchObject({ value: { kind: FileType.FILE_TYPE_BYTES } });
  });

  test('refuses what an API does not read, parts and all', async () => {
    const api = await start();
    const part = { representation: { $case: 'file', value: { content: Uint8Array.of(1) } } } as const;
    await expect(
      call(api, 'echo', { $case: 'multipart', value: { fields: { a: part } } }),
    ).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'the request has its content in multipart; this API accepts json, serialized_bytes',
    });
  });

  test('has its own health name and neither ServiceMetadata nor v1', async () => {
    const client = (await start()).client();
    expect(await client.check(protocolV1Alpha1.service)).toBe(ServingStatus.SERVING);
    await expect(client.check('bentoml.grpc.v1.BentoService')).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    await expect(client.serviceMetadata()).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    await expect(client.call('echo', { $case: 'json', value: 1 })).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
    });
    const path = PATH.replace('Call', 'ServiceMetadata');
    const asked = client.unary(path, Request, Response, { apiName: '', content: undefined });
    await expect(asked).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });

  test('counts its calls', async () => {
    const registry = new MetricsRegistry();
    const metrics = createApiMetrics(registry, { service: 'older', version: '1', label: 'api_name' });
    const api = await startApi(service, { protocol: protocolV1Alpha1, metrics });
    await call(api, 'echo', { $case: 'json', value: 1 });
    const merged = new MergedMetrics();
    merged.update('test', await registry.snapshot());
    expect(await merged.text()).toMatch(/request_total\{api_name="echo",.*http_response_code="200"\} 1/);
  });
});

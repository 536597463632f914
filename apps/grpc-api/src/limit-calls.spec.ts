import { status } from '@grpc/grpc-js';
import { ErrorInfo, RetryInfo } from './wire/google/rpc/error_details.gen.js';
import { Status } from './wire/google/rpc/status.gen.js';
import { json, Service } from '@bentots/service';
import { createApiMetrics, MergedMetrics, MetricsRegistry } from '@bentots/telemetry';
import { expect, test } from 'vitest';
import { Gate, startApi } from '../test/start-api.js';

const NOTHING = { $case: 'json', value: null } as const;

test('a call beyond maxConcurrentRpcs is RESOURCE_EXHAUSTED, says when to come back, and is counted', async () => {
  const gate = new Gate();
  const service = new Service('busy')
    .api('wait', { input: json(), output: json() }, async (value) => {
      await gate.pass();
      return value;
    })
    .api('quick', { input: json(), output: json() }, (value) => value);
  const registry = new MetricsRegistry();
  const metrics = createApiMetrics(registry, { service: 'busy', version: '1', label: 'api_name' });
  const api = await startApi(service, { maxConcurrentRpcs: 1, metrics });
  const [first, second] = [api.client(), api.client()];
  const waiting = first.call('wait', NOTHING);
  await gate.arrival();

  const refused = await second.call('quick', NOTHING).catch((reason: unknown) => reason);
  expect(refused).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
  const { metadata } = refused as { metadata: { get(key: string): Buffer[] } };
  const { details } = Status.decode(metadata.get('grpc-status-details-bin')[0] ?? Buffer.alloc(0));
  const [info, retry] = details.map(({ value }) => value);
  expect(ErrorInfo.decode(info ?? Buffer.alloc(0))).toMatchObject({ reason: 'too_many_requests' });
  expect(RetryInfo.decode(retry ?? Buffer.alloc(0)).retryDelay).toEqual({ seconds: 1n, nanos: 0 });

  gate.open();
  await waiting;
  expect(await second.call('quick', NOTHING)).toEqual(NOTHING);
  const merged = new MergedMetrics();
  merged.update('test', await registry.snapshot());
  expect(await merged.text()).toMatch(/request_total\{api_name="quick",.*http_response_code="429"\} 1/);
});

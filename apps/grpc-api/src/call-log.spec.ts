import { json, Service } from '@bentots/service';
import { createLogger } from '@bentots/telemetry';
import { expect, test } from 'vitest';
import { startApi } from '../test/start-api.js';
import { createCallLog } from './call-log.js';

const service = new Service('logged')
  .api('echo', { input: json(), output: json() }, (value) => value)
  .api('fail', { input: json(), output: json() }, () => {
    throw new Error('the cause');
  });
const one = { $case: 'json', value: 1 } as const;

async function linesOf(apiName: string, access: boolean): Promise<string> {
  const lines: string[] = [];
  const log = createLogger({ component: 'test', destination: { write: (line) => lines.push(line) } });
  const onCallEnd = createCallLog({ log, service: 'logged', access, scheme: 'http' });
  const client = (await startApi(service, { onCallEnd })).client();
  await client.call(apiName, one).catch(() => undefined);
  return lines.join('');
}

test('a call is one access line with its API, sizes, both statuses and its trace', async () => {
  expect(await linesOf('echo', true)).toMatch(
    /\[INFO\] \[test\] ipv4:127\.0\.0\.1:\d+ \(scheme=http,path=\/bentoml\.grpc\.v1\.BentoService\/Call,api_name=echo,type=application\/grpc,size=17\) \(http_status=200,grpc_status=0,type=application\/grpc,size=11\) [\d.]+ms \(trace=[0-9a-f]{32},span=[0-9a-f]{16},sampled=0,service\.name=logged\)\n$/,
  );
});

test('a failed call has its true status; its cause is in the log alone', async () => {
  const lines = await linesOf('fail', true);
  expect(lines).toContain('(http_status=500,grpc_status=13,type=application/grpc,size=0)');
  expect(lines).toContain("[ERROR] [test] API 'fail' failed: an unexpected error occurred");
  expect(lines).toContain('Error: the cause');
});

test('an unknown API is a line without a made-up name', async () => {
  const lines = await linesOf('made-up', true);
  expect(lines).toContain('(http_status=404,grpc_status=5');
  expect(lines).not.toContain('made-up');
});

test('without access lines only failures are logged', async () => {
  expect(await linesOf('echo', false)).toBe('');
  expect(await linesOf('fail', false)).toContain('the cause');
});

import { fileURLToPath } from 'node:url';
import { type Metadata, status } from '@grpc/grpc-js';
import { ServeError } from '@bentots/errors';
import { json, Service } from '@bentots/service';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import { startApi } from '../test/start-api.js';
import { encodeRpcStatus } from './rpc-status.js';

/** A decoder that is not ours, from the same .proto files. */
const root = new protobuf.Root();
root.resolvePath = (_, path) =>
  path.startsWith('google/protobuf/') ? path : fileURLToPath(new URL(`../proto/${path}`, import.meta.url));
await root.load(['google/rpc/status.proto', 'google/rpc/error_details.proto'], { keepCase: true });

function decode(bytes: Uint8Array): Record<string, unknown> {
  const type = root.lookupType('google.rpc.Status');
  const { details = [], ...rest } = type.toObject(type.decode(bytes)) as { details?: Packed[] };
  return { ...rest, details: details.map(unpack) };
}

interface Packed {
  readonly type_url: string;
  readonly value: Uint8Array;
}

function unpack(packed: Packed): Record<string, unknown> {
  const name = /^type\.googleapis\.com\/(google\.rpc\.\w+)$/.exec(packed.type_url)?.[1] ?? 'none';
  const type = root.lookupType(name);
  return { [type.name]: type.toObject(type.decode(packed.value), { longs: Number }) };
}

function told(error: ServeError): Record<string, unknown> {
  return decode(encodeRpcStatus(error) ?? new Uint8Array());
}

const info = (reason: string, metadata = {}) => ({
  ErrorInfo: { reason, domain: 'bentots', ...(Object.keys(metadata).length > 0 && { metadata }) },
});

test('the bytes are those that google.rpc defines', () => {
  const bytes = encodeRpcStatus(new ServeError('not_found', 'no', { details: { k: 'v' } }));
  const error = `${hex('not_found', 1)}${hex('bentots', 2)}1a06${hex('k', 1)}${hex('v', 2)}`;
  const url = hex('type.googleapis.com/google.rpc.ErrorInfo', 1);
  const any = `${url}12${length(error)}${error}`;
  expect(Buffer.from(bytes ?? []).toString('hex')).toBe(`0805${hex('no', 2)}1a${length(any)}${any}`);
});

/** A string field, as the wire has it. */
function hex(text: string, field: number): string {
  const bytes = Buffer.from(text).toString('hex');
  return `${(field * 8 + 2).toString(16).padStart(2, '0')}${length(bytes)}${bytes}`;
}

function length(bytes: string): string {
  return (bytes.length / 2).toString(16).padStart(2, '0');
}

describe('an error as google.rpc.Status', () => {
  test('tells its code as the reason, its details as strings', () => {
    const details = { api: 'größe', limit: 3, list: ['a', 1], none: undefined };
    expect(told(new ServeError('unprocessable', 'what happened', { details }))).toEqual({
      code: 9,
      message: 'what happened',
      details: [info('unprocessable', { api: 'größe', limit: '3', list: '["a",1]' })],
    });
  });

  test.each([
    ['too_many_requests', { retryAfterMs: 2500 }, { seconds: 2, nanos: 500_000_000 }],
    ['overloaded', { retryAfterMs: 40 }, { nanos: 40_000_000 }],
    ['unavailable', {}, { seconds: 1 }],
    ['unavailable', { retryAfterMs: Number.NaN }, { seconds: 1 }],
  ] as const)('%s %j says when to try again', (code, details, delay) => {
    const { details: said } = told(new ServeError(code, 'later', { details }));
    expect(said).toContainEqual({ RetryInfo: { retry_delay: expect.anything() } });
    const retry = (said as { RetryInfo?: { retry_delay: object } }[]).find(({ RetryInfo }) => RetryInfo);
    expect({ seconds: 0, nanos: 0, ...retry?.RetryInfo?.retry_delay }).toEqual({
      seconds: 0,
      nanos: 0,
      ...delay,
    });
  });

  test('does not say when to try again what would fail again', () => {
    const error = new ServeError('internal', 'x', { details: { retryAfterMs: 5 } });
    expect(told(error)['details']).toEqual([info('internal', { retryAfterMs: '5' })]);
  });

  test('names the places in the request that are wrong', () => {
    const issues = [
      { path: 'a[0].b', message: 'too big' },
      { path: ['list', 1], message: 'no number' },
      { message: 'nowhere' },
    ];
    const { details } = told(new ServeError('invalid_argument', 'x', { details: { issues } }));
    expect(details).toContainEqual({
      BadRequest: {
        field_violations: [
          { field: 'a[0].b', description: 'too big' },
          { field: 'list.1', description: 'no number' },
        ],
      },
    });
  });

  test.each([
    ['too long', { text: 'x'.repeat(5000) }, {}],
    ['no JSON', { size: 1n, name: 'a' }, { name: 'a' }],
  ])('details that are %s are left out, the reason is said', (_, details, metadata) => {
    expect(told(new ServeError('overloaded', 'x', { details }))['details']).toEqual([
      info('overloaded', metadata),
      { RetryInfo: { retry_delay: expect.anything() } },
    ]);
  });

  test('whose message is too long for a header is none', () => {
    expect(encodeRpcStatus(new ServeError('internal', 'x'.repeat(3000)))).toBeUndefined();
  });
});

/** The status that a client gets, decoded from the trailer. */
async function refusalOf(service: Service, apiName: string): Promise<Record<string, unknown>> {
  const client = (await startApi(service)).client();
  const error = await client
    .call(apiName, { $case: 'json', value: null })
    .catch((reason: unknown) => reason as { metadata: Metadata });
  if (error === undefined || !('metadata' in error)) throw new Error('the call was answered');
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  return decode(Buffer.from(bytes ?? ''));
}

describe('a client finds in grpc-status-details-bin', () => {
  test('when to try again', async () => {
    const service = new Service('refusing').api('refuse', { input: json(), output: json() }, () => {
      throw new ServeError('overloaded', 'full', { details: { retryAfterMs: 3000 } });
    });
    expect(await refusalOf(service, 'refuse')).toEqual({
      code: status.UNAVAILABLE,
      message: 'full',
      details: [info('overloaded', { retryAfterMs: '3000' }), { RetryInfo: { retry_delay: { seconds: 3 } } }],
    });
  });

  test("what an API's schema says against the input", async () => {
    const validate = () => ({ issues: [{ message: 'expected a number', path: ['rows', 1] }] });
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const;
    const service = new Service('strict').api('sum', { input: json({ schema }), output: json() }, () => 1);
    expect(await refusalOf(service, 'sum')).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: [
        { ErrorInfo: { reason: 'invalid_argument' } },
        { BadRequest: { field_violations: [{ field: 'rows[1]', description: 'expected a number' }] } },
      ],
    });
  });
});

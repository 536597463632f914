import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress, type RunnerAddress } from './address.js';

describe('parseAddress', () => {
  test.each<[string, RunnerAddress]>([
    ['tcp://127.0.0.1:4001', { kind: 'tcp', host: '127.0.0.1', port: 4001 }],
    ['tcp://classifier_1.models.svc:80', { kind: 'tcp', host: 'classifier_1.models.svc', port: 80 }],
    ['TCP://localhost:65535', { kind: 'tcp', host: 'localhost', port: 65_535 }],
    ['tcps://classifier:4001', { kind: 'tcps', host: 'classifier', port: 4001 }],
    ['tcps://[::1]:4001', { kind: 'tcps', host: '::1', port: 4001 }],
    ['tcp://[::1]:4001', { kind: 'tcp', host: '::1', port: 4001 }],
    ['unix:///tmp/a.sock', { kind: 'unix', path: '/tmp/a.sock' }],
    ['file:///tmp/a.sock', { kind: 'unix', path: '/tmp/a.sock' }],
    ['unix:///tmp/with%20blank/%25.sock', { kind: 'unix', path: '/tmp/with blank/%.sock' }],
    ['unix:///tmp/a=b,c.sock', { kind: 'unix', path: '/tmp/a=b,c.sock' }],
  ])('%s is read', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
  });

  test.each([
    ['localhost:4001', 'scheme', 'no scheme'],
    ['http://localhost:4001', 'scheme', "unknown scheme 'http'"],
    ['tcp://localhost', 'port', 'no port'],
    ['tcp://localhost:', 'port', "port ''"],
    ['tcp://localhost:0', 'port', "port '0'"],
    ['tcp://localhost:65536', 'port', "port '65536'"],
    ['tcp://localhost:4001/', 'port', "port '4001/'"],
    ['tcp://localhost:4001,', 'port', "port '4001,'"],
    ['tcp://:4001', 'host', "host ''"],
    ['tcp://::1:4001', 'host', 'in brackets'],
    ['tcp://[::zz]:4001', 'host', 'no IPv6 address'],
    ['tcp://256.0.0.1:80', 'host', "host '256.0.0.1'"],
    ['tcp://user@host:80', 'host', "host 'user@host'"],
    ['unix://tmp/a.sock', 'path', 'absolute'],
    ['unix:///', 'path', 'socket file'],
    ['unix:///tmp/%zz', 'path', 'percent escape'],
    [`unix:///${'a'.repeat(107)}`, 'path', '108 bytes'],
  ])('%s is refused for its %s', (text, part, words) => {
    expect(() => parseAddress(text)).toThrow(
      expect.objectContaining({
        code: 'runner_map_invalid',
        message: expect.stringContaining(words),
        details: { address: text, part },
      }),
    );
  });
});

test('every address survives formatting and parsing', () => {
  const path = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => !text.includes('\0') && !text.endsWith('/'));
  const address: fc.Arbitrary<RunnerAddress> = fc.oneof(
    fc.record({
      kind: fc.constantFrom('tcp' as const, 'tcps' as const),
      host: fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.domain().filter((name) => name.length < 253),
      ),
      port: fc.integer({ min: 1, max: 65_535 }),
    }),
    fc.record({ kind: fc.constant('unix' as const), path: path.map((text) => `/${text}`) }),
  );
  fc.assert(
    fc.property(address, (value) => {
      fc.pre(value.kind !== 'unix' || Buffer.byteLength(value.path) <= 107);
      expect(parseAddress(formatAddress(value))).toEqual(value);
    }),
    { seed: 7, numRuns: 300 },
  );
});

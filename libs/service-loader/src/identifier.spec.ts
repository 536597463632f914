import { expect, test } from 'vitest';
import { parseIdentifier } from './identifier.js';

test.each([
  ['service', { module: 'service', attribute: undefined }],
  ['pkg.service:svc', { module: 'pkg.service', attribute: ['svc'] }],
  ['src/service.ts:models.first.svc', { module: 'src/service.ts', attribute: ['models', 'first', 'svc'] }],
  ['/a:b/service.ts:größe', { module: '/a:b/service.ts', attribute: ['größe'] }],
])('%s has its halves around the last colon', (text, parts) => {
  expect(parseIdentifier(text)).toEqual(parts);
});

test.each(['', '  ', 'a\0b', ':svc', 'service:', 'service:a..b', 'service:2', 'a:b/c'])(
  '%j is refused as an option, with the value',
  (text) => {
    expect(() => parseIdentifier(text)).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message: expect.stringContaining(text.replace('\0', '\\u0000')),
      }),
    );
  },
);

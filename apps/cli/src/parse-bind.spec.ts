import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';

import { parseBind } from './parse-bind.js';

test.each([
  ['tcp://127.0.0.1:4001', { host: '127.0.0.1', port: 4001 }],
  ['tcp://localhost:0', { host: 'localhost', port: 0 }],
  ['tcp://[::1]:80', { host: '::1', port: 80 }],
])('%s is host and port', (text, bind) => {
  expect(parseBind(text)).toEqual(bind);
});

test.each(['', '127.0.0.1:1', 'http://a:1', 'tcp://a', 'tcp://a:b', 'tcp://a:1/x', 'tcp://::1:80'])(
  '%j is refused',
  (text) => {
    expect(() => parseBind(text)).toThrow(InvalidArgumentError);
  },
);

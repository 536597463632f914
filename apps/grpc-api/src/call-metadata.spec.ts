import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { readMetadata, writeMetadata } from './call-metadata.js';

test('what a client sends is read as texts with lower-case keys', () => {
  const sent = new Metadata();
  sent.set('X-Color', 'red');
  sent.add('x-list', 'a');
  sent.add('x-list', 'b');
  sent.set('x-raw-bin', Buffer.from([0, 255]));
  expect(readMetadata(sent)).toEqual({ 'x-color': 'red', 'x-list': 'a, b', 'x-raw-bin': 'AP8=' });
});

test('what a function sets is sent, binary values from base64', () => {
  const metadata = writeMetadata({ 'X-Answer': 'yes', 'x-raw-bin': 'AP8=' });
  expect(metadata.getMap()).toEqual({ 'x-answer': 'yes', 'x-raw-bin': Buffer.from([0, 255]) });
});

test('headers that frame an HTTP answer are not for gRPC', () => {
  const framing = { 'Content-Type': 'text/html', 'content-length': '3', 'grpc-status': '0', TE: 'x' };
  expect(writeMetadata(framing).getMap()).toEqual({});
});

test.each([{ 'not a key': 'x' }, { 'x-text': 'line\nbreak' }, { 'x-text': 'ü' }])(
  '%o is the mistake of the service, and named',
  (values) => {
    expect(() => writeMetadata(values)).toThrow(expect.objectContaining({ code: 'internal' }));
    expect(() => writeMetadata(values)).toThrow(Object.keys(values)[0]);
  },
);

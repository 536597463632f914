import { type Content, Tensor } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { Request, Response } from '../wire/bentoml/grpc/v1/service.gen.js';
import { contentFromRequest, type RequestContent, responseFromContent } from './messages.js';

/** One content of each kind, and the field that carries it. */
const CONTENTS: readonly [field: string, content: Content][] = [
  ['json', { kind: 'json', value: { a: [1, null, 'x'] } }],
  ['text', { kind: 'text', text: 'grüße' }],
  ['ndarray', { kind: 'tensor', tensor: new Tensor('float32', new Float32Array([1, 2]), [2, 1]) }],
  ['file', { kind: 'file', bytes: Uint8Array.of(1, 2, 3), mimeType: 'image/png' }],
  ['serializedBytes', { kind: 'bytes', bytes: Uint8Array.of(4, 5) }],
];

/** A response's content as the request of the next: through the bytes of both messages. */
function travel(content: Content): RequestContent | undefined {
  const response = Response.decode(Response.encode({ content: responseFromContent(content) }).finish());
  const request = Request.encode({ apiName: 'next', content: response.content }).finish();
  return Request.decode(request).content;
}

test.each(CONTENTS)('%s carries its content there and back', (field, content) => {
  const wire = travel(content);
  expect(wire?.$case).toBe(field);
  expect(contentFromRequest(wire, [content.kind])).toEqual(content);
});

test('a file without a media type has none', () => {
  const content: Content = { kind: 'file', bytes: Uint8Array.of(1) };
  expect(contentFromRequest(travel(content), ['file'])).toEqual(content);
});

test('empty text and a null json are contents', () => {
  expect(contentFromRequest(travel({ kind: 'text', text: '' }), ['text'])).toEqual({
    kind: 'text',
    text: '',
  });
  expect(contentFromRequest(travel({ kind: 'json', value: null }), ['json'])).toEqual({
    kind: 'json',
    value: null,
  });
});

describe('the wrong content is invalid_argument that lists what the API accepts', () => {
  const table: [RequestContent | undefined, string][] = [
    [undefined, 'the request has no content; this API accepts ndarray, serialized_bytes'],
    [
      { $case: 'text', value: 'x' },
      'the request has its content in text; this API accepts ndarray, serialized_bytes',
    ],
    [{ $case: 'dataframe', value: { columnNames: [], columns: [] } }, 'in dataframe; this API accepts'],
    [{ $case: 'multipart', value: { fields: {} } }, 'in multipart; this API accepts'],
  ];
  test.each(table)('%o', (wire, message) => {
    const read = (): Content => contentFromRequest(wire, ['tensor', 'bytes']);
    expect(read).toThrow(message);
    expect(read).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        details: { accepted: ['ndarray', 'serialized_bytes'] },
      }),
    );
  });
});

test('an API whose input has no form in gRPC is unimplemented, and says what to do', () => {
  const read = (): Content => contentFromRequest({ $case: 'text', value: 'x' }, []);
  expect(read).toThrow(expect.objectContaining({ code: 'unimplemented' }));
  expect(read).toThrow('call it over HTTP');
});

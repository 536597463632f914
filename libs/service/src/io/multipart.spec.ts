import { describe, expect, expectTypeOf, test } from 'vitest';
import { body } from '../../test/bytes.js';
import { caught } from '../../test/caught.js';
import { Image } from '../image.js';
import { Tensor } from '../tensor.js';
import { FileValue, type JsonValue } from '../values.js';
import type { Body } from './descriptor.js';
import { file } from './file.js';
import { image } from './image.js';
import { json } from './json.js';
import { multipart } from './multipart.js';
import { text } from './text.js';

const TYPE = 'multipart/form-data; boundary=b';

/** What a browser would send. */
async function formBody(fields: Readonly<Record<string, string | Blob>>): Promise<Body> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const sent = new Response(form);
  return {
    contentType: sent.headers.get('content-type') ?? undefined,
    bytes: new Uint8Array(await sent.arrayBuffer()),
  };
}

/** A part in the words of the protocol. */
function part(head: string, content: string): string {
  return `--b\r\ncontent-disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
}

const pair = multipart({ fields: { one: text(), two: json() } });
const good = part('name="one"', 'eins') + part('name="two"', '[2]');

async function picture(): Promise<Image> {
  return Image.fromPixels(new Tensor('uint8', new Uint8Array(12), [2, 2, 3]));
}

describe('a form', () => {
  test('is the values of its fields, each by its own descriptor', async () => {
    const io = multipart({
      fields: { picture: image(), about: json<{ id: number }>(), note: text(), any: file() },
    });
    const { bytes } = await picture();
    const sent = await formBody({
      any: new File(['abc'], 'für.bin', { type: 'application/x-any' }),
      note: 'grüße',
      picture: new File([bytes], 'p.png', { type: 'image/png' }),
      about: '{"id":7}',
    });
    const value = await io.decodeBody(sent);
    expectTypeOf(value).toEqualTypeOf<{
      readonly picture: Image;
      readonly about: { id: number };
      readonly note: string;
      readonly any: FileValue;
    }>();
    expect(value.picture).toMatchObject({ width: 2, height: 2, mimeType: 'image/png' });
    expect(value).toMatchObject({ about: { id: 7 }, note: 'grüße' });
    expect(value.any).toMatchObject({ mimeType: 'application/x-any', name: 'für.bin' });
    expect(value.any.text()).toBe('abc');
  });

  test('may have its fields in any order, empty ones too', async () => {
    const swapped = part('name="two"', 'null') + part('name="one"', '');
    expect(await pair.decodeBody(body(`${swapped}--b--\r\n`, TYPE))).toEqual({ one: '', two: null });
  });

  test('may be far larger than what the parser takes at once', async () => {
    const io = multipart({ fields: { a: file(), b: file(), c: text() } });
    const large = new Uint8Array(3_000_001).map((_, index) => index % 251);
    const value = await io.decodeBody(await formBody({ b: new Blob([large]), c: 'x', a: new Blob([large]) }));
    expect(Buffer.compare(value.a.bytes, large)).toBe(0);
    expect(Buffer.compare(value.b.bytes, large)).toBe(0);
    expect(value.c).toBe('x');
  });

  test('has what its fields expect in its documentation', () => {
    const io = multipart({ fields: { picture: image({ mimeType: 'image/png' }), about: json() } });
    expect(io.openapi()).toEqual({
      mediaTypes: ['multipart/form-data'],
      schema: {
        type: 'object',
        properties: { picture: { type: 'string', format: 'binary' }, about: {} },
        required: ['picture', 'about'],
        additionalProperties: false,
      },
      encoding: {
        picture: { contentType: 'image/png, image/*' },
        about: { contentType: 'application/json' },
      },
    });
    expect(io.toSpec()).toMatchObject({
      id: 'bentoml.io.Multipart',
      args: { picture: { id: 'bentoml.io.Image' }, about: { id: 'bentoml.io.JSON' } },
    });
  });
});

describe('a body is refused', () => {
  test.each([
    ['without a field', part('name="one"', 'x'), 'two', "field 'two' missing; each is required"],
    ['without all', '', 'one', "fields 'one', 'two' missing"],
    [
      'with an unknown field',
      good + part('name="One"', 'x'),
      'One',
      'field "One" is not known; expected one, two',
    ],
    ['with a field twice', good + part('name="one"', 'x'), 'one', "field 'one' came twice"],
    [
      'whose field is wrong',
      part('name="one"', 'x') + part('name="two"', '{'),
      'two',
      "field 'two': the body is no valid",
    ],
  ])('%s, by name', async (_, parts, field, message) => {
    const error = await caught(() => pair.decodeBody(body(`${parts}--b--\r\n`, TYPE)));
    expect(error).toMatchObject({ code: 'invalid_argument', details: { field } });
    expect(error.message).toContain(message);
  });

  test.each([
    ['application/json', 'bentoml.io.Multipart reads multipart/form-data, got application/json'],
    ['multipart/mixed; boundary=b', 'got multipart/mixed'],
    [undefined, 'got no content-type'],
  ])('of type %s', async (type, message) => {
    const error = await caught(() => pair.decodeBody(body(`${good}--b--`, type)));
    expect(error.code).toBe('unsupported_media_type');
    expect(error.message).toContain(message);
  });

  test.each([
    ['that says no boundary', `${good}--b--\r\n`, 'multipart/form-data', 'Boundary not found'],
    ['that is cut off within a part', good.slice(0, -8), TYPE, 'cannot be read'],
    ['that is cut off after a part', good, TYPE, 'cannot be read'],
    ['that is empty', '', TYPE, 'cannot be read'],
    ['that has nothing of the format', 'hello', TYPE, 'cannot be read'],
    ['with a part that has no name', `${good}${part('filename="x"', 'x')}--b--`, TYPE, 'has no name'],
  ])('%s', async (_, content, type, message) => {
    const error = await caught(() => pair.decodeBody(body(content, type)));
    expect(error.code).toBe('invalid_argument');
    expect(error.message).toContain(message);
  });

  test('wherever it is cut off', async () => {
    const whole = Buffer.from(`${good}--b--`);
    for (let end = 0; end < whole.length; end++) {
      const error = await caught(() => pair.decodeBody(body(whole.subarray(0, end), TYPE)));
      expect([end, error.code]).toEqual([end, 'invalid_argument']);
    }
    expect(await pair.decodeBody(body(whole, TYPE))).toEqual({ one: 'eins', two: [2] });
  });

  test('with an encoding that nobody decodes', async () => {
    const encoded = part('name="one"\r\ncontent-transfer-encoding: base64', 'eA==');
    const error = await caught(() => pair.decodeBody(body(`${encoded}--b--`, TYPE)));
    expect(error).toMatchObject({ code: 'unsupported_media_type', details: { field: 'one' } });
  });

  test('with a field over the limit, of exactly the limit it is not', async () => {
    const io = multipart({ fields: { one: text() }, maxPartBytes: 3 });
    expect(await io.decodeBody(await formBody({ one: 'abc' }))).toEqual({ one: 'abc' });
    const error = await caught(async () => io.decodeBody(await formBody({ one: 'abcd' })));
    expect(error).toMatchObject({
      code: 'payload_too_large',
      message: "field 'one' has more than 3 bytes",
      details: { field: 'one', maxBytes: 3 },
    });
  });

  test('of many fields, at the first that is too many', async () => {
    const many = part('name="one"', 'x').repeat(200_000);
    const error = await caught(() => pair.decodeBody(body(`${many}--b--`, TYPE)));
    expect(error.message).toBe("field 'one' came twice");
  });
});

describe('an answer', () => {
  test('is a form that every client reads', async () => {
    const io = multipart({ fields: { picture: image(), about: json(), any: file() } });
    const { contentType, bytes } = await io.encodeBody({
      picture: await picture(),
      about: { id: 7 },
      any: new FileValue(Buffer.from('abc'), { mimeType: 'text/csv', name: 'a "b".csv' }),
    });
    const form = await new Response(Buffer.from(bytes), {
      headers: { 'content-type': contentType },
    }).formData();
    expect([...form.keys()]).toEqual(['picture', 'about', 'any']);
    expect(form.get('about')).toBe('{"id":7}');
    expect(form.get('picture')).toMatchObject({ name: 'output.png', type: 'image/png' });
    const any = form.get('any');
    if (!(any instanceof Blob)) throw new Error('no file');
    expect(any).toMatchObject({ name: 'a _b_.csv', type: 'text/csv' });
    expect(await any.text()).toBe('abc');
  });

  test('is read back as it was', async () => {
    const { contentType, bytes } = await pair.encodeBody({ one: '--b\r\n', two: [1, { a: null }] });
    expect(await pair.decodeBody({ contentType, bytes: Buffer.from(bytes) })).toEqual({
      one: '--b\r\n',
      two: [1, { a: null }],
    });
  });

  test.each<[unknown, string]>([
    [null, 'returned null'],
    [{ one: 'x' }, "returned no field 'two'"],
    [{ one: 'x', two: 1, three: 3 }, "returned a field 'three' that it does not know"],
    [{ one: 1, two: 1 }, "field 'one': the API's output is text()"],
  ])('%j is refused', async (value, message) => {
    const error = await caught(() => Reflect.apply(pair.encodeBody, pair, [value]));
    expect(error.code).toBe('internal');
    expect(error.message).toContain(message);
  });
});

test('what gRPC would send is refused in words', async () => {
  const error = await caught(() => pair.fromContent({ kind: 'text', text: '' }));
  expect(error).toMatchObject({
    code: 'unimplemented',
    message: expect.stringContaining('call the API over HTTP'),
  });
});

test.each<[Record<string, JsonValue | ReturnType<typeof text>>, string]>([
  [{}, 'has no fields'],
  [{ 'a b': text() }, "field 'a b' has to be letters"],
  [{ a: 1 }, "field 'a' is no IO descriptor"],
  [{ a: Object(pair) }, "field 'a' is a form itself"],
])('fields %j are refused when the service is made', (fields, message) => {
  expect(() => Reflect.apply(multipart, undefined, [{ fields }])).toThrow(message);
});

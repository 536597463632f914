import { ServeError } from '@bentots/errors';
import { kindOf } from '../kind-of.js';
import { decodeUtf8 } from './decode-utf8.js';
import { type Content, type IODescriptor, wrongKind } from './descriptor.js';

const ID = 'bentoml.io.Text';
const KINDS = ['text', 'bytes'] as const satisfies Content['kind'][];

/** Plain text in UTF-8; an empty body is the empty string. */
export function text(): IODescriptor<string> {
  return {
    id: ID,
    contentKinds: KINDS,
    decodeBody: ({ bytes }) => decodeUtf8('the body', bytes),
    encodeBody: (value) => ({ contentType: 'text/plain; charset=utf-8', bytes: checkText(value) }),
    fromContent: (content) => {
      if (content.kind === 'text') return content.text;
      if (content.kind === 'bytes') return decodeUtf8('the content', content.bytes);
      throw wrongKind(ID, KINDS, content);
    },
    toContent: (value) => ({ kind: 'text', text: checkText(value) }),
    openapi: () => ({ mediaTypes: ['text/plain'], schema: { type: 'string' } }),
    toSpec: () => ({ id: ID, args: null }),
  };
}

function checkText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new ServeError('internal', `the API's output is text(), and its function returned ${kindOf(value)}`);
}

import { ServeError } from '@bentots/errors';
import type { Content } from '@bentots/service';
import type { Request, Response } from '../wire/bentoml/grpc/v1/service.gen.js';
import { ndarrayFromTensor, tensorFromNdarray } from './ndarray.js';

/** What `bentoml.grpc.v1` can carry in a request, one field at a time. */
export type RequestContent = Exclude<Request['content'], undefined>;
/** What it can carry in a response. */
export type ResponseContent = Exclude<Response['content'], undefined>;

/** Names of the fields in the .proto, for messages that a client's author reads. */
const FIELD_NAMES: Readonly<Record<RequestContent['$case'], string>> = {
  ndarray: 'ndarray',
  dataframe: 'dataframe',
  series: 'series',
  file: 'file',
  text: 'text',
  json: 'json',
  multipart: 'multipart',
  serializedBytes: 'serialized_bytes',
};

/** The field that carries each kind of content. */
const FIELD_OF_KIND: Readonly<Record<Content['kind'], string>> = {
  tensor: 'ndarray',
  file: 'file',
  text: 'text',
  json: 'json',
  bytes: 'serialized_bytes',
};

/**
 * The content that a request carries, when it is of one of the kinds that the API reads; else `invalid_argument` that
 * lists the fields it reads. An API whose input has no form in this protocol is `unimplemented`.
 */
export function contentFromRequest(
  wire: RequestContent | undefined,
  kinds: readonly Content['kind'][],
): Content {
  if (kinds.length === 0) {
    throw new ServeError(
      'unimplemented',
      'the input of this API is not served over gRPC yet; call it over HTTP',
    );
  }
  const content = wire && readContent(wire);
  if (content !== undefined && kinds.includes(content.kind)) return content;
  const accepted = kinds.map((kind) => FIELD_OF_KIND[kind]);
  const got = wire === undefined ? 'has no content' : `has its content in ${FIELD_NAMES[wire.$case]}`;
  throw new ServeError('invalid_argument', `the request ${got}; this API accepts ${accepted.join(', ')}`, {
    details: { accepted },
  });
}

/** The response field that carries this content. */
export function responseFromContent(content: Content): ResponseContent {
  switch (content.kind) {
    case 'json':
      return { $case: 'json', value: content.value };
    case 'text':
      return { $case: 'text', value: content.text };
    case 'tensor':
      return { $case: 'ndarray', value: ndarrayFromTensor(content.tensor) };
    case 'file':
      return { $case: 'file', value: { kind: content.mimeType, content: content.bytes } };
    case 'bytes':
      return { $case: 'serializedBytes', value: content.bytes };
  }
}

/** Undefined for fields whose content no descriptor reads yet. */
function readContent(wire: RequestContent): Content | undefined {
  switch (wire.$case) {
    case 'json':
      return { kind: 'json', value: wire.value ?? null };
    case 'text':
      return { kind: 'text', text: wire.value ?? '' };
    case 'ndarray':
      return { kind: 'tensor', tensor: tensorFromNdarray(wire.value) };
    case 'file': {
      const { kind, content } = wire.value;
      return { kind: 'file', bytes: content, ...(kind !== undefined && { mimeType: kind }) };
    }
    case 'serializedBytes':
      return { kind: 'bytes', bytes: wire.value };
    case 'dataframe':
    case 'series':
    case 'multipart':
      return undefined;
  }
}

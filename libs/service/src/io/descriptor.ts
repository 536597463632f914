import { ServeError } from '@bentots/errors';
import type { Tensor } from '../tensor.js';
import type { JsonValue } from '../values.js';

/** The body of an HTTP request. */
export interface Body {
  /** The `content-type` header. */
  readonly contentType: string | undefined;
  readonly bytes: Uint8Array;
  /** Its name, when it is the file of a form. */
  readonly fileName?: string | undefined;
}

/** The body of an HTTP answer. */
export interface EncodedBody {
  readonly contentType: string;
  readonly bytes: Uint8Array | string;
  /** Further headers that describe the body. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Typed content of no particular protocol; gRPC maps its `oneof` to it. */
export type Content =
  | { readonly kind: 'json'; readonly value: JsonValue }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  | { readonly kind: 'file'; readonly bytes: Uint8Array; readonly mimeType?: string | undefined }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** A JSON Schema as OpenAPI 3.0 has it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What an API's documentation says of a body. */
export interface OpenApiBody {
  readonly mediaTypes: readonly string[];
  readonly schema: JsonSchema;
  readonly example?: unknown;
  /** Media types of the fields of a form. */
  readonly encoding?: Readonly<Record<string, { readonly contentType: string }>>;
}

/** What clients that configure themselves need to know of a descriptor. */
export interface DescriptorSpec {
  readonly id: string;
  readonly args: Readonly<Record<string, JsonValue>> | null;
}

/**
 * How one kind of value is read from requests and written to answers, for each protocol.
 * Bad input is ServeError `invalid_argument` naming the place, what was got and what was expected.
 */
export interface IODescriptor<T> {
  /** `bentoml.io.JSON` and the like, as clients know them. */
  readonly id: string;
  decodeBody(body: Body): T | Promise<T>;
  encodeBody(value: T): EncodedBody | Promise<EncodedBody>;
  /** The kinds that {@link fromContent} accepts. */
  readonly contentKinds: readonly Content['kind'][];
  fromContent(content: Content): T | Promise<T>;
  toContent(value: T): Content | Promise<Content>;
  openapi(): OpenApiBody;
  toSpec(): DescriptorSpec;
}

/** The error for content of a kind that the descriptor does not read. */
export function wrongKind(id: string, kinds: readonly Content['kind'][], got: Content): ServeError {
  return new ServeError(
    'invalid_argument',
    `${id} reads content of kind ${kinds.join(' or ')}, got ${got.kind}`,
    { details: { accepted: kinds, got: got.kind } },
  );
}

/** A media type without parameters, in lower case; `undefined` when there is none. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return type === '' ? undefined : type;
}

import { fileTypeOf, mediaTypeOf } from './content/file-type.js';
import {
  contentFromRequest,
  type RequestContent,
  type ResponseContent,
  responseFromContent,
} from './content/messages.js';
import type { Protocol } from './protocol.js';
import type * as v1 from './wire/bentoml/grpc/v1/service.gen.js';
import { type File, type Part, Request, Response } from './wire/bentoml/grpc/v1alpha1/service.gen.js';

/** `bentoml.grpc.v1alpha1`: files name their kind from a list, all else is said as in v1. It has no `ServiceMetadata`. */
export const protocolV1Alpha1: Protocol = {
  service: 'bentoml.grpc.v1alpha1.BentoService',
  decodeRequest(bytes) {
    const { apiName, content } = Request.decode(bytes);
    return { apiName, content: (kinds) => contentFromRequest(content && upgradeContent(content), kinds) };
  },
  encodeResponse(content) {
    return Response.encode({ content: downgradeContent(responseFromContent(content)) }).finish();
  },
};

function upgradeContent(content: Exclude<Request['content'], undefined>): RequestContent {
  switch (content.$case) {
    case 'file':
      return { $case: 'file', value: upgradeFile(content.value) };
    case 'multipart':
      return { $case: 'multipart', value: { fields: mapValues(content.value.fields, upgradePart) } };
    default:
      return content;
  }
}

function upgradePart({ representation: part }: Part): v1.Part {
  if (part?.$case !== 'file') return { representation: part };
  return { representation: { $case: 'file', value: upgradeFile(part.value) } };
}

function upgradeFile({ kind, content }: File): v1.File {
  return { kind: mediaTypeOf(kind), content };
}

function downgradeContent(content: ResponseContent): Response['content'] {
  switch (content.$case) {
    case 'file':
      return { $case: 'file', value: downgradeFile(content.value) };
    case 'multipart':
      return { $case: 'multipart', value: { fields: mapValues(content.value.fields, downgradePart) } };
    default:
      return content;
  }
}

function downgradePart({ representation: part }: v1.Part): Part {
  if (part?.$case !== 'file') return { representation: part };
  return { representation: { $case: 'file', value: downgradeFile(part.value) } };
}

function downgradeFile({ kind, content }: v1.File): File {
  return { kind: fileTypeOf(kind), content };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

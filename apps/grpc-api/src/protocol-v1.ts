import { contentFromRequest, responseFromContent } from './content/messages.js';
import type { DescriptorFacts, Protocol } from './protocol.js';
import {
  Request,
  Response,
  ServiceMetadataResponse,
  type ServiceMetadataResponse_DescriptorMetadata as DescriptorMetadata,
} from './wire/bentoml/grpc/v1/service.gen.js';

/** `bentoml.grpc.v1`. */
export const protocolV1: Protocol = {
  service: 'bentoml.grpc.v1.BentoService',
  decodeRequest(bytes) {
    const { apiName, content } = Request.decode(bytes);
    return { apiName, content: (kinds) => contentFromRequest(content, kinds) };
  },
  encodeResponse(content) {
    return Response.encode({ content: responseFromContent(content) }).finish();
  },
  encodeMetadata({ name, docs, apis }) {
    const described = apis.map((api) => ({
      name: api.name,
      docs: api.docs,
      input: describe(api.input),
      output: describe(api.output),
    }));
    return ServiceMetadataResponse.encode({ name, docs: docs ?? '', apis: described }).finish();
  },
};

/** Clients rebuild the descriptor from its id and the options under `args`; one without options says none. */
function describe({ id, args }: DescriptorFacts): DescriptorMetadata {
  return { descriptorId: id, attributes: args === null ? {} : { args } };
}

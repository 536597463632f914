import { type handleBidiStreamingCall, type ServiceDefinition, status } from '@grpc/grpc-js';
import type { DescriptorFiles } from './descriptor-files.js';
import type { GrpcService } from './inherited-grpc.js';
import {
  ServerReflectionRequest as Request,
  ServerReflectionResponse as Response,
} from './wire/grpc/reflection/v1/reflection.gen.js';

/** Both names of the protocol, whose bytes are the same. */
export const REFLECTION_SERVICES = [
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
] as const;

type Answer = Exclude<Response['messageResponse'], undefined>;

/** Server reflection under the given name: tells the names of `services`, and the files that describe them. */
export function createReflectionService(
  name: (typeof REFLECTION_SERVICES)[number],
  services: readonly string[],
  files: DescriptorFiles,
): GrpcService {
  const info: handleBidiStreamingCall<Request, Response> = (call) => {
    call.on('data', (request: Request) => {
      const messageResponse = answerRequest(request, services, files);
      call.write({ validHost: request.host, originalRequest: request, messageResponse });
    });
    call.on('end', () => call.end());
  };
  return { definition: define(name), implementation: { info } };
}

function answerRequest(
  { messageRequest }: Request,
  services: readonly string[],
  files: DescriptorFiles,
): Answer {
  switch (messageRequest?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return answerFiles(messageRequest.value, files.byPath(messageRequest.value));
    case 'fileContainingSymbol':
      return answerFiles(messageRequest.value, files.bySymbol(messageRequest.value));
    case 'allExtensionNumbersOfType': {
      const { value } = messageRequest;
      if (!files.hasMessage(value)) return refuse(status.NOT_FOUND, `there is no message '${value}'`);
      return { $case: 'allExtensionNumbersResponse', value: { baseTypeName: value, extensionNumber: [] } };
    }
    case 'fileContainingExtension':
      return refuse(status.NOT_FOUND, 'there are no extensions');
    case undefined:
      return refuse(status.INVALID_ARGUMENT, 'the request asks for nothing');
  }
}

function answerFiles(asked: string, found: readonly Uint8Array[] | undefined): Answer {
  if (found === undefined) return refuse(status.NOT_FOUND, `there is no '${asked}'`);
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: [...found] } };
}

function refuse(errorCode: status, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}

function define(name: string): ServiceDefinition {
  return {
    info: {
      path: `/${name}/ServerReflectionInfo`,
      requestStream: true,
      responseStream: true,
      requestSerialize: (message: Request) => Buffer.from(Request.encode(message).finish()),
      requestDeserialize: (bytes: Buffer) => Request.decode(bytes),
      responseSerialize: (message: Response) => Buffer.from(Response.encode(message).finish()),
      responseDeserialize: (bytes: Buffer) => Response.decode(bytes),
    },
  };
}

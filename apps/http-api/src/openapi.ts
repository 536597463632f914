import { httpStatusOf } from '@bentots/errors';
import type { Api, DescriptorSpec, IODescriptor, OpenApiBody, Service } from '@bentots/service';

/** What of the server shows in its description. */
export interface OpenApiOptions {
  readonly service: Service;
  /** Whether calls are refused above a limit. */
  readonly hasConcurrencyLimit: boolean;
  /** Whether there is `/metrics`. */
  readonly hasMetrics: boolean;
}

const SERVICE_TAG = 'Service APIs';
const INFRASTRUCTURE_TAG = 'Infrastructure';

/** The OpenAPI 3.0 document of a service: only answers that the server really gives. */
export function describeOpenApi(options: OpenApiOptions): object {
  const { service } = options;
  const apis = [...service.apis.values()];
  return {
    openapi: '3.0.3',
    info: {
      title: service.name,
      version: service.version ?? 'not available',
      description: service.description ?? `The APIs of the service \`${service.name}\`.`,
    },
    servers: [{ url: '/' }],
    // The server itself asks nobody who they are; `[]` says so.
    security: [],
    tags: [
      { name: SERVICE_TAG, description: 'What the service does.' },
      { name: INFRASTRUCTURE_TAG, description: 'Health and metrics, for orchestrators and monitoring.' },
    ],
    paths: {
      ...Object.fromEntries(apis.map((api) => [api.route, { post: describeApi(api, options) }])),
      ...describeInfrastructure(options),
    },
    components: { schemas: { Problem: PROBLEM_SCHEMA } },
  };
}

function describeApi(api: Api, { service, hasConcurrencyLimit }: OpenApiOptions): object {
  return {
    tags: [SERVICE_TAG],
    summary: api.name,
    description: api.description ?? '',
    operationId: `${service.name}__${api.name}`,
    'x-bentoml-name': api.name,
    parameters: [REQUEST_TIMEOUT],
    requestBody: {
      required: true,
      content: contentOf(api.input.openapi()),
      'x-bentoml-io-descriptor': specOf(api.input),
    },
    responses: {
      '200': {
        description: 'The result.',
        headers: {
          'x-bentoml-request-id': REQUEST_ID,
          ...(api.runners.length > 0 && { 'server-timing': SERVER_TIMING }),
        },
        content: contentOf(api.output.openapi()),
        'x-bentoml-io-descriptor': specOf(api.output),
      },
      ...describeProblems('invalid_argument', 'payload_too_large', 'unsupported_media_type'),
      ...(hasConcurrencyLimit && describeProblems('too_many_requests')),
      ...describeProblems('internal', 'unavailable', 'deadline_exceeded'),
    },
  };
}

function specOf(descriptor: IODescriptor<unknown>): DescriptorSpec {
  return descriptor.toSpec();
}

function contentOf({ mediaTypes, schema, example, encoding }: OpenApiBody): object {
  const media = { schema, ...(example !== undefined && { example }), ...(encoding && { encoding }) };
  return Object.fromEntries(mediaTypes.map((type) => [type, media]));
}

const PLAIN_TEXT = { 'text/plain': { schema: { type: 'string' } } };

function describeInfrastructure({ hasMetrics }: OpenApiOptions): object {
  const health = { description: 'A newline.', content: PLAIN_TEXT };
  return {
    '/livez': describeProbe('livez', 'The process answers.', { '200': health }),
    '/healthz': describeProbe('healthz', 'The same as `/livez`.', { '200': health }),
    '/readyz': describeProbe(
      'readyz',
      'The server and all its runners can work.',
      {
        '200': health,
        ...describeProblems('not_found', 'unavailable'),
      },
      [READY_API],
    ),
    ...(hasMetrics && {
      '/metrics': describeProbe('metrics', 'Metrics of all workers in the Prometheus text format.', {
        '200': { description: 'The metrics.', content: PLAIN_TEXT },
      }),
    }),
  };
}

function describeProbe(
  name: string,
  description: string,
  responses: object,
  parameters?: readonly object[],
): object {
  return {
    get: {
      tags: [INFRASTRUCTURE_TAG],
      summary: name,
      description,
      operationId: name,
      ...(parameters && { parameters }),
      responses: { ...responses, '431': problem('The headers are over their limit.') },
    },
  };
}

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'Why there is no result (RFC 9457). Some codes have further members.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string', example: 'about:blank' },
    title: { type: 'string', description: 'What the status means.' },
    status: { type: 'integer', description: 'The HTTP status.' },
    detail: { type: 'string', description: 'What happened, for people.' },
    code: { type: 'string', description: 'What happened, for programs: one of a closed list.' },
  },
  additionalProperties: true,
};

const REQUEST_TIMEOUT = {
  name: 'x-request-timeout',
  in: 'header',
  required: false,
  description:
    "The most time for this call: seconds, or a number with `s` or `ms`. The server's limit stays.",
  schema: { type: 'string', example: '1.5' },
};

const READY_API = {
  name: 'api',
  in: 'query',
  required: false,
  description: 'Asks only the runners that this API needs.',
  schema: { type: 'string' },
};

const REQUEST_ID = {
  description: 'The id of this call, in hexadecimal; also in the log.',
  schema: { type: 'string', pattern: '^[0-9a-f]{16}$' },
};

const SERVER_TIMING = {
  description:
    'Where the time went, when a runner was called: `queue`, `batch`, `infer`, `hop`, `app`, `total` in ms.',
  schema: { type: 'string' },
};

/** The refusals that the server gives of itself; a service's own code may throw any other code of the error table. */
const DESCRIPTIONS = {
  invalid_argument: 'The input has the wrong form, type or value.',
  not_found: 'There is no API of this name.',
  payload_too_large: 'The body is over its limit.',
  unsupported_media_type: 'The API does not read this content type or encoding.',
  too_many_requests: 'The limit of calls at once is reached; `Retry-After` says when to try again.',
  internal: 'The service or one of its runners failed.',
  unavailable: 'A runner cannot be reached or is overloaded, or the server is stopping.',
  deadline_exceeded: 'The time for the request is over.',
} as const;

type DescribedCode = keyof typeof DESCRIPTIONS;

function describeProblems(...codes: DescribedCode[]): Record<string, object> {
  return Object.fromEntries(codes.map((code) => [String(httpStatusOf(code)), problem(DESCRIPTIONS[code])]));
}

function problem(description: string): object {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

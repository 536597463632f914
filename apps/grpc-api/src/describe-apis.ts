import type { Service } from '@bentots/service';
import type { ServiceFacts } from './protocol.js';

/** What `ServiceMetadata` tells about a service. */
export function describeApis(service: Service): ServiceFacts {
  return {
    name: service.name,
    docs: service.description,
    apis: [...service.apis.values()].map((api) => ({
      name: api.name,
      docs: api.description,
      input: api.input.toSpec(),
      output: api.output.toSpec(),
    })),
  };
}

import type { GrpcServerConfig } from '@bentots/config';
import type { ServiceDescription } from '@bentots/service';
import type { Plan } from '@bentots/supervisor';

import { type EdgeFacts, planGrpcEdge } from './plan-edge.js';
import { planLife } from './plan-life.js';

/** The gRPC socket and, with metrics, theirs; behind both the gRPC API workers. */
export function planGrpcServer(
  facts: EdgeFacts<GrpcServerConfig> & { readonly service: ServiceDescription },
): Plan {
  const name = `grpc-api:${facts.service.name}`;
  return planLife(facts.config, { name, ...planGrpcEdge(facts) });
}

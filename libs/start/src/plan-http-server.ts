import type { HttpServerConfig } from '@bentots/config';
import type { ServiceDescription } from '@bentots/service';
import type { Plan } from '@bentots/supervisor';

import { type EdgeFacts, planHttpEdge } from './plan-edge.js';
import { planLife } from './plan-life.js';

/** One socket, and the HTTP API workers behind it. */
export function planHttpServer(
  facts: EdgeFacts<HttpServerConfig> & { readonly service: ServiceDescription },
): Plan {
  const name = `http-api:${facts.service.name}`;
  return planLife(facts.config, { name, ...planHttpEdge(facts) });
}

import type { Plan } from '@bentots/supervisor';

import type { Prepare } from './prepared.js';
import { redactPlan } from './redact-plan.js';

/**
 * The plan that would be run, passwords hidden: everything is checked as for a real start, but no deployment hook runs,
 * nothing is bound and no worker starts.
 */
export async function dryRun(prepare: Prepare): Promise<Plan> {
  const { plan } = await prepare({ deploy: false });
  return redactPlan(plan);
}

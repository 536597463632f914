import type { Plan } from '@bentots/supervisor';

/** The plan as it may be shown: passwords are replaced by `"(hidden)"`. */
export function redactPlan(plan: Plan): Plan {
  return JSON.parse(JSON.stringify(plan, hidePasswords)) as Plan; // the same shape: only strings were changed
}

function hidePasswords(key: string, value: unknown): unknown {
  return /password/i.test(key) && typeof value === 'string' ? '(hidden)' : value;
}

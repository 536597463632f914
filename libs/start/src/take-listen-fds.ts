import { type Environment, readListenFds, UNNAMED } from '@bentots/config';
import type { GivenDescriptors, Plan } from '@bentots/supervisor';

/**
 * The sockets that systemd, or who does as it does, gave to process `pid` for this plan. A single one that was not named,
 * or only after its unit, is meant for a plan's single socket.
 */
export function takeListenFds(plan: Plan, environment: Environment, pid: number): GivenDescriptors {
  const given = readListenFds(environment, pid);
  const [[name, fd] = [], ...others] = Object.entries(given);
  const [wanted, ...more] = plan.sockets.flatMap(({ inherit }) => inherit ?? []);
  const isSingle = others.length === 0 && more.length === 0;
  if (name === undefined || fd === undefined || wanted === undefined || !isSingle) return given;
  return name === UNNAMED || name.endsWith('.socket') ? { [wanted]: fd } : given;
}

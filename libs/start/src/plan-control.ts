import { join } from 'node:path';

import type { ControlSocketConfig } from '@bentots/config';
import type { Plan } from '@bentots/supervisor';
import { canHoldControlSocket } from '@bentots/supervisor/control';

/** What the kernel takes as the path of a unix socket, less its final zero. */
const MAX_SOCKET_PATH_BYTES = 107;

/** The longest that `$(pid)` becomes. */
const LONGEST_PID = '4194304-99';

/** So many letters of a name tell what it is. */
const LEAST_NAME = 8;

/**
 * The plan with its control socket: at the path that was asked for, else named after the tree in the first folder that
 * can be used. Nobody asked for the latter, so that the tree starts without it where there is no such folder.
 */
export function planControl(
  plan: Plan,
  control: ControlSocketConfig | undefined,
  canBeUsed: (folder: string) => boolean = canHoldControlSocket,
): Plan {
  if (control === undefined) return plan;
  if ('path' in control) return { ...plan, control: { path: control.path } };
  const usable = control.folders.filter((folder) => roomForName(folder) >= LEAST_NAME).find(canBeUsed);
  const folder = usable ?? control.folders[0];
  if (folder === undefined) return plan;
  return { ...plan, control: { path: join(folder, fileName(plan.name, folder)), optional: true } };
}

function roomForName(folder: string): number {
  return MAX_SOCKET_PATH_BYTES - Buffer.byteLength(join(folder, `.${LONGEST_PID}.sock`));
}

/** The name only helps people: the tree itself says who it is. */
function fileName(treeName: string, folder: string): string {
  const name = treeName.replaceAll(/[^\w:.-]/g, '_').slice(0, Math.max(LEAST_NAME, roomForName(folder)));
  return `${name}.$(pid).sock`;
}

import { ServeError } from '@bentots/errors';

import type { Environment } from './environment.js';

/** Where sd_listen_fds(3) begins to count. */
const FIRST_FD = 3;

/** What systemd calls a descriptor that has no name of its own. */
export const UNNAMED = 'unknown';

/**
 * The listening sockets that this process was started with, by name, as systemd tells them (sd_listen_fds(3)): `LISTEN_PID`
 * says whom they are for, `LISTEN_FDS` how many, from descriptor 3 on, `LISTEN_FDNAMES` what they are called. Empty when
 * they are for another process. Throws `invalid_option` when the variables make no sense or two sockets have one name.
 */
export function readListenFds(environment: Environment, pid: number): Readonly<Record<string, number>> {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = environment;
  if (LISTEN_PID !== String(pid) || LISTEN_FDS === undefined) return {};
  if (!/^\d{1,4}$/.test(LISTEN_FDS)) {
    throw invalid(`LISTEN_FDS is '${LISTEN_FDS}'; expected the number of sockets`);
  }
  const count = Number(LISTEN_FDS);
  const names = LISTEN_FDNAMES === undefined ? [] : LISTEN_FDNAMES.split(':');
  if (names.length > 0 && names.length !== count) {
    throw invalid(
      `LISTEN_FDNAMES is '${LISTEN_FDNAMES}', which are ${names.length} names for ${count} sockets`,
    );
  }
  const given = new Map<string, number>();
  for (let index = 0; index < count; index += 1) {
    const name = names[index] || UNNAMED;
    if (given.has(name)) {
      const hint = 'name them with FileDescriptorName= in socket units of their own';
      throw invalid(`two sockets of LISTEN_FDS are named '${name}'; ${hint}`);
    }
    given.set(name, FIRST_FD + index);
  }
  return Object.fromEntries(given);
}

function invalid(message: string): ServeError {
  return new ServeError('invalid_option', message);
}

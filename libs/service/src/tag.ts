import { invalidService } from './invalid-service.js';

const TAG_NAME = /^[a-z0-9]([-._a-z0-9]*[a-z0-9])?$/;
const MAX_LENGTH = 63;

/**
 * Checks a name or version of a service or runner: at most 63 of `a-z 0-9 - . _`, a letter or digit at both ends.
 * Capitals are lowered with a warning of the process. `what` begins the message: `service name`.
 *
 * @throws ServeError `service_invalid` naming the offender.
 */
export function checkTagPart(what: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidService(`${what} is ${typeof value}, expected a string`);
  const name = value.toLowerCase();
  if (name.length > MAX_LENGTH) {
    throw invalidService(
      `${what} '${value}' has ${name.length} characters, at most ${MAX_LENGTH} are allowed`,
    );
  }
  if (!TAG_NAME.test(name)) {
    const rule = "lower-case letters, digits, '-', '.' and '_', with a letter or digit first and last";
    throw invalidService(`${what} '${value}' is not valid: use ${rule}`);
  }
  if (name !== value) {
    process.emitWarning(`${what} '${value}' is lowered to '${name}'`, { code: 'BENTOTS_TAG_LOWERED' });
  }
  return name;
}

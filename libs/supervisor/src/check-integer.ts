import { ServeError } from '@bentots/errors';

/** `value` if it is a whole number in range; else `invalid_option` that says `what` it is. */
export function checkInteger(value: number, min: number, max: number, what: string): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new ServeError(
    'invalid_option',
    `${what} is ${value}; expected a whole number from ${min} to ${max}`,
  );
}

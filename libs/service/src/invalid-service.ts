import { type ErrorDetails, ServeError } from '@bentots/errors';

/** The error of every rule about what a model author declares. */
export function invalidService(message: string, details?: ErrorDetails): ServeError {
  return new ServeError('service_invalid', message, details && { details });
}

/** Refuses anything but a whole number from `min` up; `what` begins the sentence. */
export function checkWholeNumber(what: string, value: unknown, min: number): void {
  if (!Number.isInteger(value) || Number(value) < min) {
    throw invalidService(`${what} is ${String(value)}, expected a whole number from ${min} up`);
  }
}

/** Refuses anything but a finite number above 0; `what` begins the sentence. */
export function checkPositive(what: string, value: unknown): void {
  if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
    throw invalidService(`${what} is ${String(value)}, expected a number above 0`);
  }
}

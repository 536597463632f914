/** The class of whatever was thrown: `RangeError`; `string` when it was no object of a class. */
export function classOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.constructor.name || thrown.name : typeof thrown;
}

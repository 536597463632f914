import { ServeError } from '@bentots/errors';

/** A service identifier in its two halves: `src/service.ts:models.svc`. */
export interface Identifier {
  /** A file, a dotted module or a directory, as it was written. */
  readonly module: string;
  /** Names from the module's exports down to the service; undefined: find the only one. */
  readonly attribute: readonly string[] | undefined;
}

const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/**
 * Splits `module[:attribute]` at its last colon.
 *
 * @throws ServeError `invalid_option` when a half is missing or the attribute is not made of names.
 */
export function parseIdentifier(text: string): Identifier {
  if (text.trim() === '' || text.includes('\0')) {
    throw new ServeError(
      'invalid_option',
      `service identifier ${JSON.stringify(text)} names nothing; expected module:attribute, a file or a project directory`,
    );
  }
  const colon = text.lastIndexOf(':');
  if (colon === -1) return { module: text, attribute: undefined };
  const module = text.slice(0, colon);
  const attribute = text.slice(colon + 1).split('.');
  if (module === '') {
    throw new ServeError('invalid_option', `service identifier '${text}' has no module before the ':'`);
  }
  if (!attribute.every((name) => NAME.test(name))) {
    throw new ServeError(
      'invalid_option',
      `service identifier '${text}' has no attribute after its last ':'; expected a name such as svc or models.svc`,
    );
  }
  return { module, attribute };
}

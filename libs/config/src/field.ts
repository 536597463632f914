import { z } from 'zod';

/** How one option is checked, which environment variable stands for it, and what it is when nobody says. */
export interface Field<T> {
  /** Checks the value, and may bring it into its final form. */
  readonly schema: z.ZodType<T>;
  /** Completes the sentence "expected …". */
  readonly expected: string;
  /** Environment variable; absent when the option has none. */
  readonly env?: string;
  /** The value an environment variable's text stands for; the text itself when it stands for none. */
  readonly fromText: (text: string) => unknown;
  /** The value when neither option nor environment says. */
  readonly initial: T | undefined;
  /** True when the value must not be shown in an error. */
  readonly secret?: boolean;
}

interface Source<T> {
  readonly env?: string;
  readonly initial?: T;
}

const asIs = (text: string): unknown => text;

/** Numbers in plain decimal writing only: `0x10`, `1e3` and `''` stay text, and are refused as such. */
export function parseDecimal(text: string): unknown {
  return /^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
}

function field<T>(
  schema: z.ZodType<T>,
  expected: string,
  { env, initial }: Source<T>,
  fromText: (text: string) => unknown = asIs,
): Field<T> {
  return { schema, expected, fromText, initial, ...(env !== undefined && { env }) };
}

/** A text that is not empty. */
export function textField(expected: string, source: Source<string>): Field<string> {
  return field(z.string().min(1), expected, source);
}

/** A text that errors never show. */
export function secretField(expected: string, source: Source<string>): Field<string> {
  return { ...textField(expected, source), secret: true };
}

/** A host name or IP address to bind. */
export function hostField(source: Source<string>): Field<string> {
  const schema = z.string().regex(/^[^\s/[\]]+$/);
  return field(schema, 'a host name or IP address, without scheme, port or brackets', source);
}

/** A whole number from `min` to `max`. */
export function integerField(min: number, max: number, source: Source<number>): Field<number> {
  const expected =
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number, ${min} or more`
      : `a whole number from ${min} to ${max}`;
  return field(z.number().int().min(min).max(max), expected, source, parseDecimal);
}

/** A TCP port; 0 asks the system for a free one. */
export function portField(source: Source<number>): Field<number> {
  return field(
    z.number().int().min(0).max(65_535),
    'a port from 1 to 65535, or 0 for a free one',
    source,
    parseDecimal,
  );
}

/** A time in seconds, more than none and at most 24 days (what a timer can hold). */
export function secondsField(source: Source<number>): Field<number> {
  const max = 2_147_483;
  const schema = z.number().positive().max(max);
  return field(schema, `seconds: a number greater than 0, at most ${max}`, source, parseDecimal);
}

/** A time in seconds that may also be none. */
export function delayField(source: Source<number>): Field<number> {
  const max = 2_147_483;
  const schema = z.number().min(0).max(max);
  return field(schema, `seconds: a number from 0 to ${max}`, source, parseDecimal);
}

/** Yes or no. */
export function flagField(source: Source<boolean>): Field<boolean> {
  return field(z.boolean(), 'true or false', source, parseFlag);
}

/** One word out of `words`. */
export function choiceField<const W extends string>(words: readonly W[], source: Source<W>): Field<W> {
  const expected = `one of ${words.join(', ')}`;
  return field(z.enum(words), expected, source);
}

/** Upper bounds of histogram buckets, growing. */
export function bucketsField(source: Source<readonly number[]>): Field<readonly number[]> {
  const schema = z
    .array(z.number().positive())
    .min(1)
    .refine((bounds) => bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? 0)))
    .readonly();
  const parse = (text: string): unknown => text.split(/[\s,]+/).map(parseDecimal);
  return field(schema, 'growing numbers greater than 0', source, parse);
}

/** Texts that each match `pattern`; at least one. */
export function listField(
  pattern: RegExp,
  expected: string,
  source: Source<readonly string[]>,
): Field<readonly string[]> {
  const schema = z.array(z.string().regex(pattern)).min(1).readonly();
  return field(schema, expected, source, (text) => text.trim().split(/[\s,]+/));
}

/** A text that is a regular expression. */
export function patternField(source: Source<string>): Field<string> {
  return field(z.string().min(1).refine(isPattern), 'a regular expression', source);
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

/** A field of a form that none of the others has. */
export function customField<T>(schema: z.ZodType<T>, expected: string, source: Source<T>): Field<T> {
  return field(schema, expected, source);
}

function parseFlag(text: string): unknown {
  const word = text.trim().toLowerCase();
  if (['true', '1', 'yes', 'on'].includes(word)) return true;
  if (['false', '0', 'no', 'off'].includes(word)) return false;
  return text;
}

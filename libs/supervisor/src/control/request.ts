import { constants } from 'node:os';
import { ServeError } from '@bentots/errors';

/** A request whose form is right; whether its command exists is not known yet. */
export interface ControlRequest {
  readonly id: number | string;
  readonly command: string;
  readonly fields: ReadonlyMap<string, unknown>;
}

/** Reads one line. Throws `invalid_argument` for what is no request at all. */
export function parseRequest(line: string): ControlRequest {
  const { id, command, ...fields } = parseObject(line);
  if (typeof id !== 'number' && typeof id !== 'string') {
    throw wrong(`the request has no id; expected a line such as {"id": 1, "command": "status"}`);
  }
  if (typeof command !== 'string') {
    throw wrong(`request ${JSON.stringify(id)} names no command; expected {"id": 1, "command": "status"}`);
  }
  return { id, command, fields: new Map(Object.entries(fields)) };
}

function parseObject(line: string): Record<string, unknown> {
  const value = parseJson(line);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw wrong(
    `a request is one JSON object a line, such as {"id": 1, "command": "status"}; got ${JSON.stringify(cut(line))}`,
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function wrong(message: string): ServeError {
  return new ServeError('invalid_argument', message);
}

/** What goes with a command, read field by field; what the command does not take is refused. */
export class CommandArguments {
  constructor(
    private readonly command: string,
    private readonly fields: ReadonlyMap<string, unknown>,
    takes: readonly string[],
  ) {
    const stranger = [...fields.keys()].find((name) => !takes.includes(name));
    if (stranger === undefined) return;
    throw wrong(`command '${command}' takes no '${stranger}'; it takes: ${takes.join(', ') || 'nothing'}`);
  }

  /** A text that must be there. */
  text(name: string): string {
    return this.optionalText(name) ?? this.#refuse(name, 'a text');
  }

  optionalText(name: string): string | undefined {
    const value = this.fields.get(name) ?? undefined;
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    return this.#refuse(name, 'a text');
  }

  /** A whole number that must be there. */
  integer(name: string, min: number, max: number): number {
    return this.optionalInteger(name, min, max) ?? this.#refuse(name, integerFrom(min, max));
  }

  optionalInteger(name: string, min: number, max: number): number | undefined {
    const value = this.fields.get(name) ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    return this.#refuse(name, integerFrom(min, max));
  }

  /** False when it is not there. */
  flag(name: string): boolean {
    const value = this.fields.get(name) ?? false;
    return typeof value === 'boolean' ? value : this.#refuse(name, 'true or false');
  }

  /** The name of a signal that must be there. */
  signal(name: string): NodeJS.Signals {
    const value = this.fields.get(name);
    return isSignal(value) ? value : this.#refuse(name, 'a signal such as SIGUSR2');
  }

  #refuse(name: string, expected: string): never {
    const value = this.fields.get(name);
    const got = value === undefined ? 'missing' : cut(JSON.stringify(value));
    throw wrong(`'${name}' of command '${this.command}' is ${got}; expected ${expected}`);
  }
}

function integerFrom(min: number, max: number): string {
  return `a whole number from ${min} to ${max}`;
}

/** Whether `value` is a signal of this system. */
export function isSignal(value: unknown): value is NodeJS.Signals {
  return typeof value === 'string' && Object.hasOwn(constants.signals, value);
}

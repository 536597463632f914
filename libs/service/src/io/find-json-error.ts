/** Where a text stops being JSON, in UTF-16 units, and what could have stood there. */
export interface JsonMistake {
  readonly index: number;
  readonly expected: string;
}

const SPACE = /[ \t\n\r]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
// eslint-disable-next-line no-control-regex -- JSON forbids these characters in strings
const PLAIN = /[^"\\\u0000-\u001f]+/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/** What may come next: after `[` and `{` they may close at once, after a comma not. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'separator';

/** Moves over a text token by token. */
class Cursor {
  index = 0;
  constructor(private readonly text: string) {}

  /** The next character that is no space. */
  peek(): string | undefined {
    this.eat(SPACE);
    return this.text[this.index];
  }

  /** Moves past what the pattern finds here; whether that was anything. */
  eat(pattern: RegExp): boolean {
    pattern.lastIndex = this.index;
    const length = pattern.exec(this.text)?.[0].length ?? 0;
    this.index += length;
    return length > 0;
  }

  /** Moves past a string, or to where it goes wrong. */
  eatString(): boolean {
    this.index += 1;
    // One pattern for both, repeated, would exhaust the stack of the regular expressions on a string of some megabytes.
    while (this.eat(PLAIN) || this.eat(ESCAPE));
    if (this.text[this.index] !== '"') return false;
    this.index += 1;
    return true;
  }
}

/**
 * Finds the mistake in a text that `JSON.parse` refused; its own messages name a position only sometimes.
 * Keeps its own stack, so that deeply nested input cannot exhaust the program's.
 */
export function findJsonError(text: string): JsonMistake {
  const cursor = new Cursor(text);
  const open: ('{' | '[')[] = [];
  const mistake = (expected: string): JsonMistake => ({ index: cursor.index, expected });
  let expected: Expected = 'value';
  for (;;) {
    const char = cursor.peek();
    if ((char === ']' && expected === 'value or ]') || (char === '}' && expected === 'key or }')) {
      cursor.index += 1;
      open.pop();
      expected = 'separator';
    } else if (expected === 'separator') {
      const inside = open.at(-1);
      if (inside === undefined) return mistake('the end');
      const close = inside === '{' ? '}' : ']';
      if (char !== ',' && char !== close) return mistake(`',' or '${close}'`);
      cursor.index += 1;
      if (char === close) open.pop();
      else expected = inside === '{' ? 'key' : 'value';
    } else if (expected === 'key' || expected === 'key or }') {
      if (char !== '"') return mistake("a key in '\"'");
      if (!cursor.eatString()) return mistake('a string to go on');
      if (cursor.peek() !== ':') return mistake("':'");
      cursor.index += 1;
      expected = 'value';
    } else if (char === '{' || char === '[') {
      cursor.index += 1;
      open.push(char);
      expected = char === '{' ? 'key or }' : 'value or ]';
    } else {
      if (char === '"' ? !cursor.eatString() : !cursor.eat(LITERAL)) {
        return mistake(char === '"' ? 'a string to go on' : 'a value');
      }
      expected = 'separator';
    }
  }
}

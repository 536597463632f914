/** Where a text stops being JSON, in UTF-16 units, and what could have stood there. */
export interface JsonMistake {
  readonly index: number;
  readonly expected: string;
}

const SPACE = /[ \t\n\r]*/y;
const LITERAL = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
// eslint-disable-next-line no-control-regex -- JSON forbids these characters in strings
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;

/**
 * Finds the mistake in a text that `JSON.parse` refused; its own messages name a position only sometimes.
 * Keeps its own stack, so that deeply nested input cannot exhaust the program's.
 */
export function findJsonError(text: string): JsonMistake {
  const open: ('{' | '[')[] = [];
  let index = 0;
  let expected: 'value' | 'value or ]' | 'key' | 'key or }' | 'separator' = 'value';
  const eat = (pattern: RegExp): boolean => {
    pattern.lastIndex = index;
    const length = pattern.exec(text)?.[0].length ?? 0;
    index += length;
    return length > 0;
  };
  const eatString = (): boolean => {
    if (text[index] !== '"') return false;
    eat(STRING);
    if (text[index] !== '"') return false;
    index += 1;
    return true;
  };

  for (;;) {
    eat(SPACE);
    const char = text[index];
    if (expected === 'separator') {
      const inside = open.at(-1);
      if (inside === undefined) return { index, expected: 'the end' };
      const close = inside === '{' ? '}' : ']';
      if (char === close) open.pop();
      else if (char === ',') expected = inside === '{' ? 'key' : 'value';
      else return { index, expected: `',' or '${close}'` };
      index += 1;
    } else if (expected === 'key' || expected === 'key or }') {
      if (char === '}' && expected === 'key or }') {
        index += 1;
        open.pop();
        expected = 'separator';
        continue;
      }
      if (!eatString())
        return {
          index,
          expected: char === '"' ? 'a string to go on' : "a key in '\"'",
        };
      eat(SPACE);
      if (text[index] !== ':') return { index, expected: "':'" };
      index += 1;
      expected = 'value';
    } else if (char === ']' && expected === 'value or ]') {
      index += 1;
      open.pop();
      expected = 'separator';
    } else if (char === '{' || char === '[') {
      index += 1;
      open.push(char);
      expected = char === '{' ? 'key or }' : 'value or ]';
    } else if (char === '"') {
      if (!eatString()) return { index, expected: 'a string to go on' };
      expected = 'separator';
    } else if (eat(LITERAL)) {
      expected = 'separator';
    } else {
      return { index, expected: 'a value' };
    }
  }
}

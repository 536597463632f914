import { describe, expect, test } from 'vitest';
import { expandPlaceholders } from './placeholders.js';

const values = {
  facts: new Map([
    ['worker.id', '2'],
    ['socket.http', '5'],
  ]),
  env: { HOME: '/home/me', EMPTY: '' },
};
const expand = (text: string) => expandPlaceholders(text, values, 'here');

describe('expandPlaceholders', () => {
  test.each([
    ['worker $(worker.id) on $(socket.http)', 'worker 2 on 5'],
    ['$(env.HOME)/x$(env.EMPTY)', '/home/me/x'],
    ['$$(date) and $$(worker.id)', '$(date) and $(worker.id)'],
    ['$HOME ${HOME} $( (', '$HOME ${HOME} $( ('],
    ['', ''],
  ])('%j becomes %j', (text, expanded) => {
    expect(expand(text)).toBe(expanded);
  });

  test('an unknown one is refused with what is available', () => {
    expect(() => expand('--fd $(socket.grpc)')).toThrow(
      'here: $(socket.grpc) is no placeholder here; available: $(worker.id), $(socket.http), $(env.NAME); ' +
        'write $$(socket.grpc) for the text itself',
    );
  });

  test('a variable that is not set is refused by name', () => {
    expect(() => expand('$(env.NOWHERE)')).toThrow(
      'here: $(env.NOWHERE) cannot be filled in: the variable NOWHERE is not set',
    );
  });

  test('what was filled in is not looked at again', () => {
    const tricky = { ...values, env: { HOME: '$(worker.id)' } };
    expect(expandPlaceholders('$(env.HOME)', tricky, 'here')).toBe('$(worker.id)');
  });
});

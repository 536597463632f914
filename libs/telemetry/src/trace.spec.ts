import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createHexId, createTraceContext, parseTraceparent } from './trace.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  test('is read with its ids and sampling', () => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceparent: `00-${TRACE}-${SPAN}-01`,
      traceId: TRACE,
      spanId: SPAN,
      sampled: true,
    });
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-00`)?.sampled).toBe(false);
  });

  test('of a later version may say more', () => {
    expect(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`)?.traceId).toBe(TRACE);
  });

  test.each([
    undefined,
    '',
    'garbage',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-0`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-01 `,
  ])('%j is ignored', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  test('of any text is ignored or read, never an exception', () => {
    fc.assert(fc.property(fc.string(), (text) => parseTraceparent(text) === undefined));
  });
});

describe('a new context', () => {
  test('stays in its parent’s trace, with a span of its own', () => {
    const parent = parseTraceparent(`00-${TRACE}-${SPAN}-01`);
    const child = createTraceContext(parent);
    expect(child.traceId).toBe(TRACE);
    expect(child.spanId).not.toBe(SPAN);
    expect(child.sampled).toBe(true);
    expect(parseTraceparent(child.traceparent)).toEqual(child);
  });

  test('without a parent begins a trace that is not sampled', () => {
    const context = createTraceContext();
    expect(parseTraceparent(context.traceparent)).toEqual(context);
    expect(context.sampled).toBe(false);
  });

  test('has an id that no other has, over many refills of the pool', () => {
    const ids = new Set(Array.from({ length: 20_000 }, () => createHexId(8)));
    expect(ids.size).toBe(20_000);
    expect([...ids].every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
  });
});

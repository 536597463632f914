import { EventEmitter } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { InboundFacts } from './inbound-call.js';

/** A call as grpc-js hands it over; `emit('cancelled')` is what it does at the end of every stream. */
class Arrived extends EventEmitter {
  readonly metadata = new Metadata();

  constructor(private readonly deadline = Infinity) {
    super();
  }

  getDeadline(): number {
    return this.deadline;
  }
}

describe('the signal of a call', () => {
  test('aborts as cancelled when the caller hangs up', () => {
    const call = new Arrived();
    const { signal } = new InboundFacts(call);
    expect(signal.aborted).toBe(false);
    call.emit('cancelled');
    expect(signal.reason).toMatchObject({ code: 'cancelled' });
  });

  test('aborts as deadline_exceeded when its time is over', () => {
    const call = new Arrived(Date.now() - 1);
    const facts = new InboundFacts(call);
    call.emit('cancelled');
    expect(facts.timeoutMs).toBe(0);
    expect(facts.signal.reason).toMatchObject({ code: 'deadline_exceeded' });
  });

  test('is the signal of the next call once the answer is there, and the first cannot abort it', () => {
    const call = new Arrived();
    const first = new InboundFacts(call);
    first.finish();
    const second = new InboundFacts(new Arrived());
    expect(second.signal).toBe(first.signal);
    call.emit('cancelled');
    expect(second.signal.aborted).toBe(false);
  });

  test('belongs to one call at a time, also when an answer is told twice', () => {
    const first = new InboundFacts(new Arrived());
    first.finish();
    first.finish();
    const signals = [1, 2, 3].map(() => new InboundFacts(new Arrived()).signal);
    expect(new Set(signals).size).toBe(3);
  });

  test('is no other call’s when it was aborted', () => {
    const call = new Arrived();
    const first = new InboundFacts(call);
    call.emit('cancelled');
    first.finish();
    expect(new InboundFacts(new Arrived()).signal.aborted).toBe(false);
  });
});

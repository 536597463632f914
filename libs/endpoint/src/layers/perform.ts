import type { Call } from '../call.js';
import { isPromiseLike } from '../is-promise-like.js';
import type { Invoke } from './layer.js';

/** The core: decode, the user's function, encode. Stops between the steps when the call is over. */
export const perform: Invoke = (call) => {
  const input = call.inbound.decode(call.api.input);
  if (isPromiseLike(input)) return continueWith(call, input);
  const value = callFunction(call, input);
  return isPromiseLike(value) ? encodeLater(call, value) : encode(call, value);
};

async function continueWith<R>(call: Call<R>, pending: PromiseLike<unknown>): Promise<R> {
  const input = await pending;
  return encode(call, await callFunction(call, input));
}

async function encodeLater<R>(call: Call<R>, pending: PromiseLike<unknown>): Promise<R> {
  return encode(call, await pending);
}

function callFunction(call: Call<unknown>, input: unknown): unknown {
  call.throwIfOver();
  return call.api.call(input, call.context);
}

function encode<R>(call: Call<R>, value: unknown): R | Promise<R> {
  call.throwIfOver();
  return call.inbound.encode(call.api.output, value);
}

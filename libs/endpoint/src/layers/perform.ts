import type { Invoke } from './layer.js';

/** The core: decode, the user's function, encode. Stops between the steps when the call is over. */
export const perform: Invoke = async (call) => {
  const { api, inbound, context } = call;
  const input = await inbound.decode(api.input);
  call.throwIfOver();
  const value = await api.call(input, context);
  call.throwIfOver();
  return inbound.encode(api.output, value);
};

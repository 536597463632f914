import { runInCallContext } from '@bentots/service';
import type { Layer } from './layer.js';

/** Runs what follows so that runner calls inside it inherit the call's deadline, signal and trace. */
export const enterCallContext: Layer = (next) => (call) => runInCallContext(call.context, () => next(call));

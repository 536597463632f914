import { ServeError } from '@bentots/errors';
import type { IncomingCall } from '@bentots/runner-wire';
import { type Logger, parseTraceparent } from '@bentots/telemetry';
import type { RunnerMethods } from './runner-methods.js';

/** Answers one call of the wire: with a result, with chunk after chunk as the caller has room, or with an error. */
export async function answerCall(methods: RunnerMethods, log: Logger, call: IncomingCall): Promise<void> {
  try {
    if (call.stream) {
      await methods.stream(call, (value) => call.chunk(value));
      call.end();
    } else {
      call.respond(await methods.run(call));
    }
  } catch (error) {
    logFailure(log, call.method, error, call.traceparent);
    call.fail(error);
  }
}

/** What the model or this server did wrong is logged with its stack; refusals and callers who left are no news. */
export function logFailure(log: Logger, method: string, thrown: unknown, traceparent?: string): void {
  const error = ServeError.from(thrown);
  const trace = parseTraceparent(traceparent);
  if (error.code === 'runner_failed' || error.code === 'internal') {
    log.error(error.message, { error: error.cause ?? error, method, trace });
  } else {
    log.debug(`${error.code}: ${error.message}`, { method, trace });
  }
}

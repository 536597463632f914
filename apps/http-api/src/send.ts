import type { ServeError } from '@bentots/errors';
import type { Logger } from '@bentots/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toProblem } from './problem.js';

/** Failures of ours or of the user's code: their cause belongs into the log. */
const LOGGED: ReadonlySet<string> = new Set(['internal', 'runner_failed', 'protocol_error']);

/** Answers with `error` as problem+json, and logs what only the operator may see. */
export function sendProblem(
  log: Logger,
  request: FastifyRequest,
  reply: FastifyReply,
  error: ServeError,
): void {
  if (LOGGED.has(error.code)) {
    const what = `${request.method} ${request.routeOptions.url ?? 'unknown path'} failed: ${error.message}`;
    log.error(what, { trace: request.exchange?.trace, code: error.code, error: error.cause ?? error });
  }
  if (reply.raw.headersSent || reply.raw.destroyed) return;
  const problem = toProblem(error);
  void reply.code(problem.status).headers(problem.headers).send(problem.body);
}

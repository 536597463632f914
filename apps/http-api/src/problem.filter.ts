import type { Logger } from '@bentots/telemetry';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toServeError } from './problem.js';
import { sendProblem } from './send.js';

/** Makes what controllers throw a problem+json, as everywhere else. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    sendProblem(this.log, request, http.getResponse<FastifyReply>(), toServeError(error));
  }
}

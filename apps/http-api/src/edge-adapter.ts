import { FastifyAdapter } from '@nestjs/platform-fastify';

/**
 * Nest on a Fastify instance that already answers errors and unknown paths: Nest's own handlers for these would say
 * things other than problem+json, and know nothing of the API routes.
 */
export class EdgeAdapter extends FastifyAdapter {
  override setErrorHandler(): ReturnType<FastifyAdapter['setErrorHandler']> {
    return this.getInstance();
  }

  override setNotFoundHandler(): ReturnType<FastifyAdapter['setNotFoundHandler']> {
    return this.getInstance();
  }
}

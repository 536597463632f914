import type { CorsConfig } from '@bentots/config';
import fastifyCors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/** Lets pages of the configured origins call: answers their preflights, and says on every answer what they may read. */
export async function registerCors(fastify: FastifyInstance, cors: CorsConfig): Promise<void> {
  const { origins, originRegex, methods, headers, exposeHeaders, credentials, maxAgeSeconds } = cors;
  await fastify.register(fastifyCors, {
    origin: origins.includes('*')
      ? '*'
      : [...origins, ...(originRegex === undefined ? [] : [new RegExp(`^(?:${originRegex})$`)])],
    methods: [...methods],
    ...(headers && { allowedHeaders: [...headers] }),
    ...(exposeHeaders && { exposedHeaders: [...exposeHeaders] }),
    credentials,
    ...(maxAgeSeconds !== undefined && { maxAge: maxAgeSeconds }),
    // Its refusal of other OPTIONS requests would be plain text, and they do no harm.
    strictPreflight: false,
  });
}

import { fileURLToPath } from 'node:url';
import { type ServerUnderTest, startChain, startProgram } from '../server-under-test.js';

const plainFastify = fileURLToPath(new URL('./plain-fastify.ts', import.meta.url));

/** A runner server and an HTTP server of examples/linear with one worker each, as two commands. */
export async function startBentots(name: string, flags: readonly string[]): Promise<ServerUnderTest> {
  return startChain({ name, service: 'examples/linear', runners: ['matmul'], flags });
}

/** Fastify alone, which computes the answer in the process that speaks HTTP. */
export async function startPlainFastify(name: string): Promise<ServerUnderTest> {
  return startProgram(name, plainFastify);
}

import { createHash } from 'node:crypto';

import type { RunnerMethodSpec } from './compile-methods.js';
import type { RunnerFacts } from './runner.js';
import type { Service } from './service.js';

/** A runner's method as plain data: all that it takes to queue and batch its calls. */
export interface MethodDescription extends RunnerMethodSpec {
  readonly name: string;
}

/** A runner as plain data. */
export interface RunnerDescription {
  readonly name: string;
  /** Name of the runnable's class. */
  readonly runnable: string;
  readonly embedded: boolean;
  readonly workers: number | 'auto';
  readonly perWorkerEnv: readonly Readonly<Record<string, string>>[];
  readonly timeoutMs: number | null;
  readonly methods: readonly MethodDescription[];
}

/** An API as plain data. */
export interface ApiDescription {
  readonly name: string;
  readonly route: string;
  /** Id of the descriptor: `bentoml.io.JSON`. */
  readonly input: string;
  readonly output: string;
}

/** What a parent needs to know of a service that it does not load itself; plain JSON, crosses process borders. */
export interface ServiceDescription {
  readonly name: string;
  readonly version: string | null;
  readonly description: string | null;
  readonly runners: readonly RunnerDescription[];
  readonly apis: readonly ApiDescription[];
  readonly hasDeploymentHook: boolean;
}

/** The facts of a service, as JSON can carry them. */
export function describeService(service: Service): ServiceDescription {
  return {
    name: service.name,
    version: service.version ?? null,
    description: service.description ?? null,
    runners: [...service.runners.values()].map(({ definition }) => describeRunner(definition)),
    apis: [...service.apis.values()].map(({ name, route, input, output }) => ({
      name,
      route,
      input: input.id,
      output: output.id,
    })),
    hasDeploymentHook: service.hooks.deployment.length > 0,
  };
}

/** A short text that two equal descriptions have in common, also when one of them came as JSON. */
export function fingerprintOf(description: ServiceDescription): string {
  return createHash('sha256').update(JSON.stringify(description)).digest('hex').slice(0, 16);
}

function describeRunner(facts: RunnerFacts): RunnerDescription {
  return {
    name: facts.name,
    runnable: facts.runnable.name,
    embedded: facts.embedded,
    workers: facts.workers,
    perWorkerEnv: facts.perWorkerEnv,
    timeoutMs: facts.timeoutMs ?? null,
    methods: [...facts.methods].map(([name, spec]) => ({ name, ...spec })),
  };
}

import { ServeError } from '@bentots/errors';
import type { Service } from '@bentots/service';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { checkReadiness, type ReadinessSource } from './readiness.js';
import { APIS, READINESS } from './tokens.js';

/** What orchestrators ask. A newline is what BentoML answers. */
@Controller()
export class HealthController {
  constructor(
    @Inject(READINESS) private readonly source: ReadinessSource,
    @Inject(APIS) private readonly apis: Service['apis'],
  ) {}

  /** The process answers. */
  @Get('livez')
  livez(): string {
    return '\n';
  }

  /** The same as `/livez`, for those who ask by this name. */
  @Get('healthz')
  healthz(): string {
    return '\n';
  }

  /**
   * The server and every runner can work; else 503 with the names of those that cannot. With `?api=`, only the runners
   * that this API needs.
   */
  @Get('readyz')
  async readyz(@Query('api') api?: string | string[]): Promise<string> {
    const needed = api === undefined ? undefined : [api].flat().flatMap((name) => this.runnersOf(name));
    await checkReadiness(this.source, needed);
    return '\n';
  }

  private runnersOf(name: string): readonly string[] {
    const api = this.apis.get(name);
    if (api !== undefined) return api.runners;
    const known = [...this.apis.keys()].join(', ') || 'none';
    throw new ServeError('not_found', `no API has the name '${name}'; the service has: ${known}`);
  }
}

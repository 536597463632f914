import { Controller, Get, Inject } from '@nestjs/common';
import { checkReadiness, type ReadinessSource } from './readiness.js';
import { READINESS } from './tokens.js';

/** What orchestrators ask. A newline is what BentoML answers. */
@Controller()
export class HealthController {
  constructor(@Inject(READINESS) private readonly source: ReadinessSource) {}

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

  /** The server and every runner can work; else 503 with the names of those that cannot. */
  @Get('readyz')
  async readyz(): Promise<string> {
    await checkReadiness(this.source);
    return '\n';
  }
}

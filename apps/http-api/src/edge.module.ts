import type { Service } from '@bentots/service';
import { type DynamicModule, Module } from '@nestjs/common';
import { DocsController } from './docs.controller.js';
import { HealthController } from './health.controller.js';
import { MetricsController, type MetricsText } from './metrics.controller.js';
import type { ReadinessSource } from './readiness.js';
import { APIS, METRICS_TEXT, OPENAPI_TEXT, READINESS } from './tokens.js';

/** What the controllers are told. */
export interface EdgeModuleOptions {
  readonly readiness: ReadinessSource;
  readonly apis: Service['apis'];
  /** Absent: there is no `/metrics`. */
  readonly metricsText: MetricsText | undefined;
  readonly openapi: string;
}

/** Everything of the edge but the API routes. */
@Module({})
export class EdgeModule {
  static with({ readiness, apis, metricsText, openapi }: EdgeModuleOptions): DynamicModule {
    const measured = metricsText !== undefined;
    return {
      module: EdgeModule,
      controllers: [HealthController, DocsController, ...(measured ? [MetricsController] : [])],
      providers: [
        { provide: READINESS, useValue: readiness },
        { provide: APIS, useValue: apis },
        { provide: OPENAPI_TEXT, useValue: openapi },
        ...(measured ? [{ provide: METRICS_TEXT, useValue: metricsText }] : []),
      ],
    };
  }
}

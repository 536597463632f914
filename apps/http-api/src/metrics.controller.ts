import { Controller, Get, Header, Inject } from '@nestjs/common';
import { METRICS_TEXT } from './tokens.js';

/** Gives the metrics of the whole process tree in the Prometheus text format. */
export type MetricsText = () => Promise<string>;

/** What Prometheus scrapes: any worker may be asked, and answers for all. */
@Controller()
export class MetricsController {
  constructor(@Inject(METRICS_TEXT) private readonly text: MetricsText) {}

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  metrics(): Promise<string> {
    return this.text();
  }
}

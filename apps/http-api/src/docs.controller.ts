import { ServeError } from '@bentots/errors';
import { Controller, Get, Header, Inject, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CONTENT_SECURITY_POLICY, PAGE, readAsset } from './docs-page.js';
import { OPENAPI_TEXT } from './tokens.js';

/** The service's description for programs, and a page to try it for people. */
@Controller()
export class DocsController {
  constructor(@Inject(OPENAPI_TEXT) private readonly openapi: string) {}

  @Get('docs.json')
  @Header('content-type', 'application/json; charset=utf-8')
  document(): string {
    return this.openapi;
  }

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', CONTENT_SECURITY_POLICY)
  page(): string {
    return PAGE;
  }

  @Get('static_content/:name')
  async asset(@Param('name') name: string, @Res() reply: FastifyReply): Promise<void> {
    const asset = await readAsset(name);
    if (asset === undefined) throw new ServeError('not_found', `the page has no file '${name}'`);
    await reply
      .header('content-type', asset.contentType)
      .header('cache-control', 'public, max-age=3600')
      .send(asset.bytes);
  }
}

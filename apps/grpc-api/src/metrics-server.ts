import { createServer, type Server } from 'node:http';

/** Prometheus' text format. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
const PATHS = new Set(['/', '/metrics']);

/**
 * The HTTP server beside the gRPC port that monitoring scrapes: the text at `/metrics` and `/`, 404 elsewhere, 503 when
 * the text cannot be had. Not listening yet.
 */
export function createMetricsServer(text: () => Promise<string>): Server {
  return createServer((request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '';
    const send = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type }).end(request.method === 'HEAD' ? undefined : body);
    };
    if (!PATHS.has(path)) return send(404, `no such path; metrics are at /metrics\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(405, 'only GET and HEAD are allowed\n');
    text().then(
      (body) => send(200, body, CONTENT_TYPE),
      () => send(503, 'the metrics cannot be collected now\n'),
    );
  });
}

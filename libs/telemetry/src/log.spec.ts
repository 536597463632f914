import { ServeError } from '@bentots/errors';
import { describe, expect, test } from 'vitest';
import { formatGrpcAccess, formatHttpAccess } from './access-line.js';
import { createLogger, type LoggerOptions } from './log.js';
import { createTraceContext } from './trace.js';

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  return { lines, log: createLogger({ component: 'api_server:demo:1', ...options, destination }) };
}

describe('a text line', () => {
  test('has time, level, component and message', () => {
    const { log, lines } = capture();
    log.info('ready');
    log.warn('slow');
    expect(lines[0]).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[INFO\] \[api_server:demo:1\] ready\n$/,
    );
    expect(lines[1]).toContain('[WARNING]');
  });

  test('names the present second', () => {
    const { log, lines } = capture();
    const before = Math.floor(Date.now() / 1000) * 1000;
    log.info('now');
    const time = lines[0]?.slice(0, 24).replace(/(\d\d)(\d\d)$/, '$1:$2') ?? '';
    expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(time)).toBeLessThanOrEqual(Date.now());
  });

  test('ends with the trace when there is one', () => {
    const { log, lines } = capture();
    const trace = createTraceContext();
    log.info('called', { trace, service: 'demo' });
    const { traceId, spanId } = trace;
    expect(lines[0]).toContain(`called (trace=${traceId},span=${spanId},sampled=0,service.name=demo)\n`);
  });

  test('shows other fields by name, and an error with its cause', () => {
    const { log, lines } = capture();
    const error = new ServeError('internal', 'no', { cause: new Error('disk full') });
    log.error('failed', { runner: 'classifier', rows: 3, error });
    expect(lines[0]).toContain('failed runner=classifier rows=3');
    expect(lines[0]).toContain('disk full');
    expect(lines).toHaveLength(1);
  });

  test('cannot be forged from within a message or field', () => {
    const { log, lines } = capture();
    log.info('name is\r\n2026-01-01T00:00:00+0000 [INFO] fake', { value: 'x\ny' });
    expect(lines.join('').split('\n')).toHaveLength(2);
  });

  test('is written from the level on', () => {
    const { log, lines } = capture({ level: 'warn' });
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines).toHaveLength(2);
    const silent = capture({ level: 'silent' });
    silent.log.error('e');
    expect(silent.lines).toHaveLength(0);
  });

  test('of a child has the child’s component', () => {
    const { log, lines } = capture();
    log.child('runner:classifier:2').info('ready');
    expect(lines[0]).toContain('[runner:classifier:2] ready');
  });
});

describe('a JSON line', () => {
  test('is one object with the same facts', () => {
    const { log, lines } = capture({ format: 'json' });
    const trace = createTraceContext();
    log.error('failed', { trace, service: 'demo', rows: 3, error: new Error('disk full') });
    const line: unknown = JSON.parse(lines[0] ?? '');
    expect(line).toMatchObject({
      level: 'error',
      component: 'api_server:demo:1',
      message: 'failed',
      rows: 3,
      trace_id: trace.traceId,
      span_id: trace.spanId,
      'service.name': 'demo',
      error: { message: 'disk full' },
    });
    expect(line).toHaveProperty('time', expect.stringMatching(/^\d{4}-.*Z$/));
  });

  test('is written from the level on, under a child’s component', () => {
    const { log, lines } = capture({ format: 'json', level: 'error' });
    log.info('a');
    log.child('cli').error('b');
    expect(lines.map((line) => JSON.parse(line).component)).toEqual(['cli']);
  });
});

describe('an access line', () => {
  test('of HTTP is the reference’s', () => {
    const facts = {
      peer: '127.0.0.1:44270',
      scheme: 'http',
      method: 'POST',
      path: '/predict',
      requestType: 'application/json',
      requestLength: '13',
      status: 200,
      responseType: 'application/json',
      responseLength: 16,
      durationMs: 9.6952,
    } as const;
    expect(formatHttpAccess(facts)).toBe(
      '127.0.0.1:44270 (scheme=http,method=POST,path=/predict,type=application/json,length=13) ' +
        '(status=200,type=application/json,length=16) 9.695ms',
    );
  });

  test('shows what is unknown as nothing', () => {
    const facts = {
      peer: '_',
      scheme: 'https',
      method: 'GET',
      path: '/',
      status: 404,
      durationMs: 1,
    } as const;
    expect(formatHttpAccess(facts)).toBe(
      '_ (scheme=https,method=GET,path=/,type=,length=) (status=404,type=,length=) 1.000ms',
    );
  });

  test('of gRPC is the reference’s, with the API when it is known', () => {
    const facts = {
      peer: 'ipv4:127.0.0.1:38508',
      scheme: 'http',
      path: '/bentoml.grpc.v1.BentoService/Call',
      requestSize: 32,
      httpStatus: 500,
      grpcStatus: 13,
      responseSize: 0,
      durationMs: 1.2,
    } as const;
    expect(formatGrpcAccess(facts)).toBe(
      'ipv4:127.0.0.1:38508 (scheme=http,path=/bentoml.grpc.v1.BentoService/Call,type=application/grpc,size=32) ' +
        '(http_status=500,grpc_status=13,type=application/grpc,size=0) 1.200ms',
    );
    expect(formatGrpcAccess({ ...facts, apiName: 'predict' })).toContain('/Call,api_name=predict,type=');
  });
});

import { type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { type LineSink, openStdout } from './line-writer.js';
import { formatTextLine } from './text-line.js';
import type { TraceContext } from './trace.js';

/** What goes with a message. Names other than these three are shown as they are. */
export interface LogFields {
  /** The call this line belongs to. */
  readonly trace?: TraceContext | undefined;
  /** `service.name` beside the trace. */
  readonly service?: string;
  /** Shown with its stack and causes. */
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

/** From which severity on lines are written. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** One component's log. Messages are for people; what machines look for goes into the fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The same log under another component's name. */
  child(component: string): Logger;
}

/** How {@link createLogger} writes. */
export interface LoggerOptions {
  /** `api_server:<service>:<worker>`, `runner:<name>:<worker>`, `cli` … */
  readonly component: string;
  /** @default 'info' */
  readonly level?: LogLevel;
  /** BentoML's text line, or one JSON object per line. @default 'text' */
  readonly format?: 'text' | 'json';
  /** @default standard output, one write per turn of the event loop */
  readonly destination?: LineSink;
}

/** The log of one component. */
export function createLogger(options: LoggerOptions): Logger {
  const { component, level = 'info', format = 'text', destination = openStdout() } = options;
  return format === 'json'
    ? createJsonLogger(pinoTo(destination, level), component)
    : createTextLogger(destination, level, component);
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

function createTextLogger(sink: LineSink, level: LogLevel, component: string): Logger {
  const lowest = LEVELS.indexOf(level);
  const at = (own: LogLevel, label: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR') =>
    LEVELS.indexOf(own) < lowest
      ? () => undefined
      : (message: string, fields?: LogFields) => {
          sink.write(formatTextLine({ timeMs: Date.now(), level: label, component, message, fields }));
        };
  return {
    debug: at('debug', 'DEBUG'),
    info: at('info', 'INFO'),
    warn: at('warn', 'WARNING'),
    error: at('error', 'ERROR'),
    child: (name) => createTextLogger(sink, level, name),
  };
}

function pinoTo(sink: LineSink, level: LogLevel): PinoLogger {
  const settings = {
    level,
    base: null,
    messageKey: 'message',
    errorKey: 'error',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(settings, { write: (line: string) => void sink.write(line) });
}

function createJsonLogger(log: PinoLogger, component: string): Logger {
  const own = log.child({ component });
  return {
    debug: (message, fields) => own.debug(toJsonFields(fields), message),
    info: (message, fields) => own.info(toJsonFields(fields), message),
    warn: (message, fields) => own.warn(toJsonFields(fields), message),
    error: (message, fields) => own.error(toJsonFields(fields), message),
    child: (name) => createJsonLogger(log, name),
  };
}

function toJsonFields(fields: LogFields = {}): object {
  const { trace, service, ...others } = fields;
  const ids = trace && { trace_id: trace.traceId, span_id: trace.spanId, sampled: trace.sampled };
  return { ...others, ...ids, ...(service !== undefined && { 'service.name': service }) };
}

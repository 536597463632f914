import { inspect } from 'node:util';
import type { LogFields } from './log.js';

/** What one text line is made of. */
export interface TextLineFacts {
  readonly timeMs: number;
  readonly level: 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';
  readonly component: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/**
 * `2026-01-31T10:00:00+0100 [INFO] [api_server:demo:1] message key=value (trace=…,span=…,sampled=0,service.name=demo)`;
 * an error's stack follows, indented. Line breaks in the message are escaped: one call is one line, whatever a
 * client managed to put into it.
 */
export function formatTextLine(facts: TextLineFacts): string {
  const { timeMs, level, component, message, fields } = facts;
  const head = `${formatTime(timeMs)} [${level}] [${component}] ${escapeBreaks(message)}`;
  return fields === undefined ? `${head}\n` : `${head}${formatFields(fields)}\n`;
}

function formatFields(fields: LogFields): string {
  const { trace, service, error, ...others } = fields;
  const pairs = Object.entries(others).map(([key, value]) => ` ${key}=${formatValue(value)}`);
  const name = service === undefined ? '' : `,service.name=${service}`;
  const ids = trace
    ? ` (trace=${trace.traceId},span=${trace.spanId},sampled=${trace.sampled ? 1 : 0}${name})`
    : '';
  const stack = error === undefined ? '' : `\n${inspect(error)}`.replaceAll(/\r?\n/g, '\n    ');
  return pairs.join('') + ids + stack;
}

function formatValue(value: unknown): string {
  return typeof value === 'string' ? escapeBreaks(value) : (JSON.stringify(value) ?? 'undefined');
}

function escapeBreaks(text: string): string {
  return /[\r\n]/.test(text) ? text.replaceAll('\r', String.raw`\r`).replaceAll('\n', String.raw`\n`) : text;
}

// Access lines come by the thousand within one second: its text is made once.
const second = { epochS: Number.NaN, text: '' };

/** Local time as `%Y-%m-%dT%H:%M:%S%z`. */
export function formatTime(timeMs: number): string {
  const epochS = Math.floor(timeMs / 1000);
  if (epochS !== second.epochS) {
    second.text = formatSecond(new Date(epochS * 1000));
    second.epochS = epochS;
  }
  return second.text;
}

function formatSecond(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  const zone = `${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  return `${local}${offset < 0 ? '-' : '+'}${zone}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

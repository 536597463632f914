import { createRunner, json, type JsonValue, method, Service } from '@bentots/service';

class Echo {
  static readonly methods = { echo: method() };

  echo(value: JsonValue): JsonValue {
    return value;
  }
}

const tell = (id: JsonValue): JsonValue => ({ id, pid: process.pid });

/** Tells which process answers. */
export const who = new Service('who').api('who', { input: json(), output: json() }, tell);

/** The same with a runner of four workers, as there is nothing to kill otherwise. */
export const manned = new Service('manned', {
  runners: [createRunner(Echo, { name: 'echo', workers: 4 })],
}).api('who', { input: json(), output: json() }, tell);

import { type Command, CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';

import { createGrpcCommand, createHttpCommand, createRunnerCommand, createServeCommand } from './commands.js';
import { type Flags, readFlags } from './read-flags.js';

/** What the command would start, instead of starting it. */
function read(command: Command, ...args: string[]): Flags<object> {
  command
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action(() => undefined)
    .parse(args, { from: 'user' });
  return readFlags(command);
}

describe('readFlags', () => {
  test('what is not given is not there, so that variables and defaults get their turn', () => {
    for (const create of [createHttpCommand, createGrpcCommand, createRunnerCommand, createServeCommand]) {
      const flags = read(create());
      expect(flags).toEqual({ options: {}, isDryRun: false, isVerbose: false, warning: undefined });
    }
  });

  test('flags become the options of the functions, numbers as numbers', () => {
    const { options } = read(
      createHttpCommand(),
      ...['service.ts:svc', '--port', '0', '--host', '::1', '--api-workers', '2', '--timeout', '1.5'],
      ...['--ssl-certfile', 'c.pem', '--timeout-keep-alive', '7', '--no-metrics', '--no-access-log'],
      ...['--metrics-buckets', '0.1,1', '--working-dir', '/srv'],
    );
    expect(options).toEqual({
      bentoIdentifier: 'service.ts:svc',
      port: 0,
      host: '::1',
      apiWorkers: 2,
      timeout: 1.5,
      sslCertfile: 'c.pem',
      timeoutKeepAlive: 7,
      metrics: false,
      accessLog: false,
      metricsBuckets: [0.1, 1],
      workingDir: '/srv',
    });
  });

  test('a number that is none stays text, for the one place that refuses it', () => {
    expect(read(createServeCommand(), '--grpc-port', 'x').options).toEqual({ grpcPort: 'x' });
  });

  test('repeated --remote-runner and --runner-map are the same option', () => {
    const entries = ['a=tcp://h:1', 'b=tcp://h:2?x=y'];
    const repeated = entries.flatMap((entry) => ['--remote-runner', entry]);
    expect(read(createHttpCommand(), ...repeated).options).toEqual({ runnerMap: entries });
    expect(read(createGrpcCommand(), '--runner-map', '@m.json').options).toEqual({ runnerMap: '@m.json' });
  });

  test('--cors-origin may be repeated', () => {
    const { options } = read(
      createServeCommand(),
      '--cors-origin',
      'https://a.b',
      '--cors-origin',
      'http://c',
    );
    expect(options).toEqual({ corsOrigins: ['https://a.b', 'http://c'] });
  });

  test('gRPC flags have the names of the reference', () => {
    const flags = ['--enable-reflection', '--enable-channelz', '--max-concurrent-streams', '9'];
    const { options } = read(createGrpcCommand(), ...flags, '--protocol-version', 'v1');
    expect(options).toEqual({
      reflection: true,
      channelz: true,
      maxConcurrentStreams: 9,
      protocolVersion: 'v1',
    });
  });

  test('--quiet and --verbose are log levels', () => {
    expect(read(createServeCommand(), '-q').options).toEqual({ logLevel: 'error' });
    expect(read(createServeCommand(), '--verbose')).toMatchObject({
      options: { logLevel: 'debug' },
      isVerbose: true,
    });
  });

  test('--bind still works, with a warning', () => {
    const flags = read(createRunnerCommand(), '--bind', 'tcp://0.0.0.0:4001');
    expect(flags.options).toEqual({ host: '0.0.0.0', port: 4001 });
    expect(flags.warning).toBe('--bind is deprecated; use --host and --port');
  });

  test.each([
    ['--quiet', '--verbose'],
    ['--bind', 'tcp://h:1', '--port', '2'],
    ['--runner-map', '{}', '--remote-runner', 'a=tcp://h:1'],
    ['--quiet', '--log-level', 'debug'],
  ])('%s contradicts the next', (...args) => {
    expect(() => read(createHttpCommand(), ...args)).toThrow(CommanderError);
  });
});

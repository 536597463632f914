import {
  COMMAND_DEFAULTS,
  type GrpcServerOptions,
  type HttpServerOptions,
  parseDecimal,
  type RunnerServerOptions,
  type ServeOptions,
} from '@bentots/config';
import {
  prepareGrpcServer,
  prepareHttpServer,
  prepareRunnerServer,
  prepareServe,
  startGrpcServer,
  startHttpServer,
  startRunnerServer,
  startServe,
} from '@bentots/start';
import { Command, Option } from 'commander';

import {
  addAddressFlags,
  addCommonFlags,
  addControlFlags,
  addGrpcFlags,
  addLimitFlags,
  addMetricsFlags,
  addRunnerMapFlags,
  addRunnerNameFlag,
  addRunnerTlsFlags,
  addServiceFlags,
  addTlsFlags,
} from './flags.js';
import { type CommandName, formatCommandHelp } from './help-text.js';
import { type Launcher, runServer } from './run-server.js';

const { http, grpc, serve } = COMMAND_DEFAULTS;

/** `bentots serve`: runners and edges in one tree. */
export function createServeCommand(): Command {
  const command = createCommand(
    'serve',
    'Start everything on this machine: every runner, the HTTP server and the gRPC server, in one process tree.',
  );
  addServiceFlags(command);
  addAddressFlags(command, String(serve.port), false);
  command
    .addOption(
      new Option(
        '--grpc-port <port>',
        `port of gRPC (default: ${serve.grpcPort}) [BENTOTS_GRPC_PORT]`,
      ).argParser(parseDecimal),
    )
    .option('--no-grpc', 'no gRPC server [BENTOTS_GRPC=false]');
  addLimitFlags(command, 'http');
  addTlsFlags(command, true);
  addGrpcFlags(command);
  addMetricsFlags(command, 'none, HTTP has them');
  return finish<ServeOptions>(command, { start: startServe, prepare: prepareServe, defaults: serve });
}

/** `bentots start-http-server`. */
export function createHttpCommand(): Command {
  const command = createCommand(
    'start-http-server',
    'Start the HTTP API server of a service. Its runners are started apart, and reached by the runner map.',
  );
  addServiceFlags(command);
  addRunnerMapFlags(command);
  addAddressFlags(command, String(http.port), true);
  addLimitFlags(command, 'http');
  addTlsFlags(command, true);
  addRunnerTlsFlags(command);
  addMetricsFlags(command, undefined);
  return finish<HttpServerOptions>(command, {
    start: startHttpServer,
    prepare: prepareHttpServer,
    defaults: http,
  });
}

/** `bentots start-grpc-server`. */
export function createGrpcCommand(): Command {
  const command = createCommand(
    'start-grpc-server',
    'Start the gRPC API server of a service. It is ready when the runners of the runner map are.',
  );
  addServiceFlags(command);
  addRunnerMapFlags(command);
  addAddressFlags(command, String(grpc.port), false);
  addLimitFlags(command, 'edge');
  addTlsFlags(command, false);
  addRunnerTlsFlags(command);
  addGrpcFlags(command);
  addMetricsFlags(command, String(grpc.metricsPort));
  return finish<GrpcServerOptions>(command, {
    start: startGrpcServer,
    prepare: prepareGrpcServer,
    defaults: grpc,
  });
}

/** `bentots start-runner-server`. */
export function createRunnerCommand(): Command {
  const command = createCommand(
    'start-runner-server',
    "Start the server of one runner of a service: its workers load the model and answer the API servers' calls.",
  );
  addServiceFlags(command);
  addRunnerNameFlag(command);
  addAddressFlags(command, 'a free one, which is reported', true);
  addLimitFlags(command, 'runner');
  addTlsFlags(command, true);
  return finish<RunnerServerOptions>(command, { start: startRunnerServer, prepare: prepareRunnerServer });
}

function createCommand(name: CommandName, description: string): Command {
  return new Command(name).description(description).addHelpText('after', formatCommandHelp(name));
}

function finish<O extends object>(command: Command, launcher: Launcher<O>): Command {
  addControlFlags(command);
  addCommonFlags(command);
  return command.action(() => runServer(command, launcher));
}

// `npm start`: the whole topology on a real model. Two runner servers, an HTTP and a gRPC API server.
import { parseArgs } from 'node:util';
import { install, main, nx, say } from './prepare.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '3000' },
    'grpc-port': { type: 'string', default: '50051' },
    'metrics-port': { type: 'string', default: '3001' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(`npm start -- [--port 3000] [--grpc-port 50051] [--metrics-port 3001]

Installs (when needed), trains the model (when needed), builds (when needed), then serves examples/read-digits:
runner servers "segmenter" and "classifier", an HTTP API server and a gRPC API server, each a process tree of its own.
Port 0 takes a free one. Ctrl-C stops everything.`);
} else {
  await main(async () => {
    await install();
    say('training the model, building (both cached)');
    await nx('run-many', '-t', 'build', 'train', '-p', 'cli', 'model', '--output-style=static');
    const { runTopology } = await import('./topology.mjs');
    await runTopology({
      port: Number(values.port),
      grpcPort: Number(values['grpc-port']),
      metricsPort: Number(values['metrics-port']),
    });
  });
}

// The topology of `npm start`, as a program of the three functions would write it.
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startGrpcServer, startHttpServer, startRunnerServer } from '@bentots/start';
import { root, say } from './prepare.mjs';

const workers = {
  runner: fileURLToPath(import.meta.resolve('@bentots/runner-server/worker')),
  dispatcher: fileURLToPath(import.meta.resolve('@bentots/runner-server/dispatcher')),
  http: fileURLToPath(import.meta.resolve('@bentots/http-api/worker')),
  grpc: fileURLToPath(import.meta.resolve('@bentots/grpc-api/worker')),
};

/** Serves examples/read-digits until SIGINT or SIGTERM; stops the API servers before the runners that they call. */
export async function runTopology({ port, grpcPort, metricsPort }) {
  const common = { bentoIdentifier: 'examples/read-digits', workingDir: root, workers, signals: false };
  const stages = [];
  const stopped = stopOnSignal(stages);
  try {
    say('starting the runner servers');
    const runners = ['segmenter', 'classifier'].map((runnerName) =>
      startRunnerServer({ ...common, runnerName }),
    );
    stages.push(runners);
    const [segmenter, classifier] = await Promise.all(runners.map((runner) => runner.ready));
    const runnerMap = { segmenter: segmenter.url, classifier: classifier.url };

    say('starting the API servers');
    const api = { ...common, runnerMap };
    const servers = [
      startHttpServer({ ...api, port }),
      startGrpcServer({ ...api, port: grpcPort, metricsPort }),
    ];
    stages.push(servers);
    const [http, grpc] = await Promise.all(servers.map((server) => server.ready));
    // The servers' own last lines first.
    await pause(50);
    announce({ runnerMap, http, grpc });
    await Promise.race([stopped, ...runners, ...servers]);
  } finally {
    await stopAll(stages);
  }
}

function announce({ runnerMap, http, grpc }) {
  console.log(`
BentoTS serves examples/read-digits:

  HTTP        ${http.url}   (try it in a browser)
  gRPC        ${grpc.url}   (metrics: ${grpc.metricsUrl})
  segmenter   ${runnerMap.segmenter}
  classifier  ${runnerMap.classifier}

Paste this in another terminal, in this folder; it answers {"number":"4072"}:

  curl -s -H 'content-type: image/png' --data-binary @examples/read-digits/pictures/4072.png ${http.url}/read_number

Ctrl-C stops everything.`);
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends without waiting. */
function stopOnSignal(stages) {
  return new Promise((resolve) => {
    const onSignal = () => {
      process.once('SIGINT', () => stages.flat().forEach((server) => server.force?.()));
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, onSignal);
  });
}

async function stopAll(stages) {
  for (const stage of stages.toReversed()) await Promise.allSettled(stage.map((server) => server.stop()));
}

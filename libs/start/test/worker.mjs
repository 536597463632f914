// Stands for any of the worker programs: answers every request with what it was told by its parent.
import { createServer } from 'node:http';

import { ServeError } from '@bentots/errors';
import { attach } from '@bentots/supervisor/child';

const worker = await attach();
if (worker.data.target?.workingDir.endsWith('broken-model')) {
  await worker.fail(new ServeError('worker_not_ready', 'model.onnx is missing'));
}
const server = createServer(async (request, response) => {
  const { watcher, workerId, data } = worker;
  if (request.url === '/metrics') {
    response.setHeader('connection', 'close').end(await worker.metricsText());
    return;
  }
  response.setHeader('connection', 'close').end(JSON.stringify({ watcher, workerId, data }));
});
worker.onDrain(() => server.closeAllConnections());
await worker.serve(worker.data.socket, server);
worker.ready();

// Tells whether it had waited as a spare; writes its number to data's file when it is warm.
import { appendFileSync, existsSync } from 'node:fs';
import http from 'node:http';
import { ServeError } from '@bentots/errors';
import { attach, drainHttpServer } from '../dist/child/index.js';

let isWarm = false;
const worker = await attach({
  warmUp: () => {
    isWarm = true;
    appendFileSync(process.env.SPARE_FILE, `${process.pid}\n`);
    if (process.env.SPARE_THROWS) throw new Error('cold');
  },
});
if (existsSync(`${process.env.SPARE_FILE}.broken`)) {
  await worker.fail(new ServeError('service_broken', 'the code is broken'));
}
const server = http.createServer((_, response) =>
  response.end(JSON.stringify({ pid: process.pid, generation: worker.generation })),
);
worker.onDrain((signal) => drainHttpServer(server, signal, { quietMs: 0 }));
await worker.serve('http', server);
worker.ready({ isWarm });

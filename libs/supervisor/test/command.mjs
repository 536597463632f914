// A program that knows nothing of arbiters: finds its socket as systemd's programs do, and tells who and where it is.
import { writeSync } from 'node:fs';
import http from 'node:http';

const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES, NOTIFY_FD, SAID } = process.env;
const listen = { pid: Number(LISTEN_PID), count: Number(LISTEN_FDS), names: LISTEN_FDNAMES };
const facts = { pid: process.pid, listen, said: SAID, args: process.argv.slice(2), umask: process.umask() };
const ids = { uid: process.getuid(), gid: process.getgid(), hasChannel: process.send !== undefined };

const server = http.createServer((request, response) => {
  if (request.url === '/crash') process.exit(4);
  response.end(JSON.stringify({ ...facts, ...ids }));
});
for (const signal of ['SIGTERM', 'SIGUSR2']) {
  process.on(signal, () => {
    if (SAID === 'deaf') return;
    console.log(`told ${signal}`);
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
server.listen({ fd: 3 }, () => {
  if (NOTIFY_FD !== undefined && SAID !== 'never') writeSync(Number(NOTIFY_FD), 'ready\n');
});

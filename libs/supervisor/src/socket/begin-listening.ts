import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const FIRST_FD = 3;

/**
 * Calls listen(2) on each descriptor and ends before its event loop could accept. Runs in a process of its own: in this
 * one, libuv would go on to accept. Beside a descriptor Node takes the backlog only as an argument of its own.
 */
const LISTEN_SOURCE = `
const net = require('net'), backlogs = JSON.parse(process.argv[1]), failures = {};
let left = backlogs.length;
const count = () => { if (--left === 0) { require('fs').writeSync(1, JSON.stringify(failures)); process.reallyExit(0); } };
backlogs.forEach((backlog, i) => net.createServer()
  .once('listening', count)
  .once('error', (error) => { failures[i] = error.code; count(); })
  .listen({ fd: ${FIRST_FD} + i }, backlog));`;

/**
 * Makes bound sockets listen, so that clients queue in the kernel from now on, without accepting here.
 * Resolves to the system error's name of each socket that could not, by index.
 */
export async function beginListening(
  sockets: readonly { readonly fd: number; readonly backlog: number }[],
): Promise<ReadonlyMap<number, string>> {
  if (sockets.length === 0) return new Map();
  const backlogs = JSON.stringify(sockets.map((socket) => socket.backlog));
  const child = spawn(process.execPath, ['-e', LISTEN_SOURCE, backlogs], {
    stdio: ['ignore', 'pipe', 'inherit', ...sockets.map((socket) => socket.fd)],
  });
  const exited = once(child, 'exit');
  const answer = child.stdout === null ? '' : await text(child.stdout);
  const [code] = await exited;
  if (code !== 0 || answer === '')
    throw new Error(`the process that calls listen ended with code ${String(code)}`);
  return parseFailures(JSON.parse(answer));
}

function parseFailures(answer: unknown): ReadonlyMap<number, string> {
  if (typeof answer !== 'object' || answer === null) return new Map();
  return new Map(Object.entries(answer).map(([index, code]) => [Number(index), String(code)]));
}

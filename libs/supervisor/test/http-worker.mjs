// A worker that tells who answered. Data: { secure?: {key, cert}, snapshots?: boolean, bootError?: code, ... }
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServeError } from '@bentots/errors';
import { attach, drainHttpServer } from '../dist/child/index.js';

const worker = await attach();
const data = worker.data ?? {};
let served = 0;
const hog = [];
let lameDucks = 0;
worker.onLameDuck(() => (lameDucks += 1));
const treeTold = [];
worker.onTree((health) => treeTold.push(health));

/** What reporting for a watcher throws. */
const reportFor = (watcher) => {
  try {
    worker.reportLoad({ queueDelayMs: 0, watcher });
    return '';
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
};

/** The loop is busy and never blocked for long. */
const busyTurn = () => {
  for (const end = Date.now() + 20; Date.now() < end;);
  return new Promise((resolve) => setImmediate(resolve));
};

const answerReadiness = (response) => {
  const { draining, treeHealth } = worker;
  response.statusCode = draining || treeHealth.crashLooping.length > 0 ? 503 : 200;
  response.end(JSON.stringify({ draining, lameDucks, ...treeHealth }));
};

const answer = async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const ms = Number(url.searchParams.get('ms') ?? 0);
  if (url.pathname === '/block') for (const end = Date.now() + ms; Date.now() < end;);
  else if (url.pathname === '/spin') for (const end = Date.now() + ms; Date.now() < end;) await busyTurn();
  else if (url.pathname === '/crash') process.exit(Number(url.searchParams.get('code') ?? 3));
  else if (url.pathname === '/orphan')
    return void execFile('sh', ['-c', 'sleep 0.3 >/dev/null & echo $!'], (_, pid) => response.end(pid));
  else if (url.pathname === '/exists')
    return void response.end(String(existsSync(`/proc/${url.searchParams.get('pid')}`)));
  else if (url.pathname === '/readyz') return void answerReadiness(response);
  else if (url.pathname === '/tree') return void response.end(JSON.stringify(treeTold));
  else if (url.pathname === '/report') return void response.end(reportFor(url.searchParams.get('for')));
  else if (ms > 0) await sleep(ms);
  if (url.pathname !== '/metrics') served += 1;
  const { workerId, generation } = worker;
  let text = url.pathname === '/metrics' ? await worker.metricsText() : undefined;
  if (url.pathname === '/env') {
    const value = process.env[url.searchParams.get('name')] ?? '';
    text = url.searchParams.has('id') ? `${workerId} ${value}` : value;
  }
  const body =
    text ?? JSON.stringify({ id: url.searchParams.get('id'), workerId, generation, pid: process.pid });
  if (url.pathname === '/hog') hog.push(Buffer.alloc(Number(url.searchParams.get('mb')) * 2 ** 20, 1));
  if (url.pathname !== '/metrics') worker.served();
  response.end(body);
};

if (data.bootError)
  await worker.fail(new ServeError(data.bootError, `worker ${worker.workerId} says ${data.bootError}`));
if (worker.generation >= data.failFromGeneration) {
  await worker.fail(new ServeError('service_broken', `generation ${worker.generation} is broken`));
}
if (worker.workerId >= data.failFromWorker) {
  await worker.fail(new ServeError('service_broken', `worker ${worker.workerId} is broken`));
}
if (data.throwAtBoot) await worker.fail(new TypeError('no model at model.onnx'));
if (data.exitAtBoot) process.exit(data.exitAtBoot);
if (data.neverReady || worker.generation >= data.neverReadyFromGeneration) await sleep(1e6);
if (worker.generation === data.neverReadyGeneration) await sleep(1e6);

const server = data.secure ? https.createServer(data.secure, answer) : http.createServer(answer);
if (data.snapshots) worker.snapshots(() => [{ name: 'served', value: served }]);
if (data.keepAliveMs !== undefined) server.keepAliveTimeout = data.keepAliveMs;
worker.onDrain(async (signal, manner) => {
  if (data.deaf) await sleep(1e6);
  await drainHttpServer(server, signal, data.quietMs === undefined ? manner : { quietMs: data.quietMs });
});
// Who follows connections listens for this, too, and Node leaves the answer to the listeners.
server.on('checkContinue', (request, response) => {
  response.writeContinue();
  server.emit('request', request, response);
});
if (!data.noSocket) await worker.serve('http', server);
if (data.load) setInterval(() => worker.reportLoad(data.load), 100).unref();
// Every second worker has nothing that waits.
if (data.loadElsewhere) {
  const { queueDelayMs, watcher } = data.loadElsewhere;
  const own = { queueDelayMs: worker.workerId % 2 === 0 ? 0 : queueDelayMs, watcher };
  setInterval(() => worker.reportLoad(own), 100).unref();
}
const grandchild = data.grandchild ? spawn('sleep', ['1000'], { stdio: 'ignore' }).pid : null;
worker.ready({ pid: process.pid, grandchild });
if (data.crashAfterMs !== undefined && !(worker.generation >= data.calmFromGeneration))
  setTimeout(() => process.exit(9), data.crashAfterMs);

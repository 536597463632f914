import { startCommand } from './start-tree.js';

/** One worker that was killed. */
export interface RecoverySample {
  readonly watcher: string;
  readonly workerId: number;
  /** 1 for its first crash, 2 for the next, which is answered after a delay when it comes within 30 s of being ready. */
  readonly crash: number;
  /** From the kill until its arbiter said that it ended. */
  readonly noticedMs: number;
  /** From the kill until the next process of that number was ready. */
  readonly readyMs: number;
  /** Of that, what the new process needed from its start. */
  readonly ownStartMs: number;
}

const WATCHERS = ['http_api', 'grpc_api', 'runner:echo'];

/** Kills every worker of a tree with kill -9, `crashes` times, one at a time. */
export async function measureRecovery(workers: number, crashes: number): Promise<RecoverySample[]> {
  const service = 'tools/bench/services/who/service.ts:manned';
  const tree = await startCommand(['serve', service, '--grpc-port', '0', '--api-workers', `${workers}`]);
  const samples: RecoverySample[] = [];
  for (let crash = 1; crash <= crashes; crash += 1) {
    for (const watcher of WATCHERS) {
      for (let workerId = 1; workerId <= workers; workerId += 1) {
        const victim = tree.worker(watcher, workerId);
        if (victim === undefined) throw new Error(`${watcher} has no worker ${workerId}:\n${tree.output}`);
        const from = tree.lineCount;
        const tells = (what: string): RegExp =>
          new RegExp(`worker ${workerId} of ${watcher}(?: \\(pid \\d+\\))? ${what}`);
        const killedAtMs = performance.now();
        process.kill(victim, 'SIGKILL');
        const noticed = await tree.printed(tells('ended'), from);
        const ready = await tree.printed(tells('is ready after (\\d+) ms'), from);
        samples.push({
          watcher,
          workerId,
          crash,
          noticedMs: noticed.atMs - killedAtMs,
          readyMs: ready.atMs - killedAtMs,
          ownStartMs: Number(ready.match[1]),
        });
      }
    }
  }
  await tree.stop();
  return samples;
}

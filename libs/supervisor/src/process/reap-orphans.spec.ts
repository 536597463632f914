import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { begin, get } from '../../test/load.js';
import { Printed } from '../../test/printed.js';
import { eventually, fixture, httpPlan } from '../../test/tree.js';

const NAMESPACE = ['--pid', '--fork', '--mount-proc', '--kill-child'];

/** Containers of process ids need rights that not every machine gives. */
function mayUnshare(): boolean {
  try {
    execFileSync('unshare', [...NAMESPACE, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** An arbiter that is process 1 of a namespace of its own, as in a container. */
class Container {
  static readonly running = new Set<ChildProcess>();
  readonly #outer: ChildProcess;
  readonly printed: Printed;
  readonly exited: Promise<unknown>;

  constructor() {
    const args = [fixture('tree-main.mjs'), JSON.stringify(httpPlan()), '{"print":true}'];
    const outer = spawn('unshare', [...NAMESPACE, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#outer = outer;
    this.printed = new Printed(outer.stdout);
    this.exited = once(outer, 'exit').then(([code]: unknown[]) => code);
    Container.running.add(outer);
    void this.exited.then(() => Container.running.delete(outer));
  }

  /** Process 1, as it is called outside. */
  get pid(): number {
    const parentOf = (pid: string): number => {
      try {
        return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1]);
      } catch {
        return 0;
      }
    };
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return Number(pids.find((pid) => parentOf(pid) === this.#outer.pid));
  }

  async address(): Promise<{ host: string; port: number }> {
    const [, port] = await this.printed.match(/"sockets":\[\{.*"port":(\d+)/);
    return { host: '127.0.0.1', port: Number(port) };
  }
}

afterEach(() => {
  for (const outer of Container.running) outer.kill('SIGKILL');
});

describe.skipIf(!mayUnshare())('as process 1', () => {
  test('orphans leave no zombie behind, and the exits of workers are still known', async () => {
    const container = new Container();
    const address = await container.address();
    const orphan = Number(await get(address, '/orphan'));
    const exists = async (): Promise<boolean> => (await get(address, `/exists?pid=${orphan}`)) === 'true';
    expect(await exists()).toBe(true);
    await eventually(async () => !(await exists()), 10_000);
    await get(address, '/crash').catch(() => undefined);
    await container.printed.match(/"type":"worker-exited","code":3/);
    await container.printed.match(/"type":"worker-ready".*"generation":2/);
    expect(container.printed.text).not.toContain('"type":"warning"');
    process.kill(container.pid, 'SIGTERM');
    expect(await container.exited).toBe(0);
  });

  test('SIGTERM answers what is in flight, then it ends with 0', async () => {
    const container = new Container();
    const slow = await begin(await container.address(), '/?id=slow&ms=1000');
    process.kill(container.pid, 'SIGTERM');
    expect(await slow.answer).toMatchObject({ id: 'slow' });
    expect(await container.exited).toBe(0);
  });
});

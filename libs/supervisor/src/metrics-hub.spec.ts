import { expect, test } from 'vitest';
import type { ArbiterMessage } from './ipc.js';
import { MetricsHub, type MetricsSink, type SnapshotSource } from './metrics-hub.js';
import type { ProcessState } from './states.js';

/** Adds numbers; those of sources that are gone stay. */
class Sum implements MetricsSink {
  readonly living = new Map<string, number>();
  retired = 0;

  update(source: string, snapshot: unknown): void {
    this.living.set(source, Number(snapshot));
  }

  retire(source: string): void {
    this.retired += this.living.get(source) ?? 0;
    this.living.delete(source);
  }

  text(): Promise<string> {
    return Promise.resolve(String([...this.living.values()].reduce((a, b) => a + b, this.retired)));
  }
}

/** A worker that answers what the test wants, when it wants. */
class Answering implements SnapshotSource {
  state: ProcessState = 'ready';
  readonly asked: number[] = [];
  leave: () => void = () => undefined;
  readonly exited = new Promise<void>((resolve) => (this.leave = resolve));

  constructor(readonly source: string) {}

  send(message: ArbiterMessage): boolean {
    if (message.supervisor === 'ask-snapshot') this.asked.push(message.id);
    return this.state !== 'exited';
  }
}

function createHub(...workers: readonly Answering[]) {
  const sum = new Sum();
  const hub = new MetricsHub(sum, () => workers.filter(({ state }) => state === 'ready'));
  return { hub, sum };
}

test('what comes from a process that is gone is not counted a second time', async () => {
  const worker = new Answering('web:1:1');
  const { hub, sum } = createHub(worker);
  hub.onSnapshot(worker, 0, 7);
  worker.state = 'exited';
  hub.onGone(worker);
  hub.onSnapshot(worker, 0, 7);
  expect(await hub.text()).toBe('7');
  expect([...sum.living]).toEqual([]);
});

test('the text waits for the answers of all ready workers; who asks meanwhile gets the same', async () => {
  const [one, two] = [new Answering('web:1:1'), new Answering('web:2:1')];
  const { hub } = createHub(one, two);
  const texts = [hub.text(), hub.text()];
  expect([one.asked.length, two.asked.length]).toEqual([1, 1]);
  hub.onSnapshot(one, one.asked[0] ?? 0, 3);
  hub.onSnapshot(two, two.asked[0] ?? 0, 4);
  expect(await Promise.all(texts)).toEqual(['7', '7']);
});

test('a worker that dies while it is asked keeps nobody waiting, and what it had told stays', async () => {
  const worker = new Answering('web:1:1');
  const { hub } = createHub(worker);
  hub.onSnapshot(worker, 0, 5);
  const text = hub.text();
  worker.state = 'exited';
  hub.onGone(worker);
  worker.leave();
  expect(await text).toBe('5');
});

test('a worker without metrics answers with nothing, and is nothing', async () => {
  const worker = new Answering('web:1:1');
  const { hub, sum } = createHub(worker);
  const text = hub.text();
  hub.onSnapshot(worker, worker.asked[0] ?? 0, null);
  expect(await text).toBe('0');
  expect(sum.living.size).toBe(0);
});

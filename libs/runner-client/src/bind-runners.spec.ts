import { parseRunnerMap, formatAddress, type RunnerMap } from '@bentots/runner-map';
import { createRunner, method, Service } from '@bentots/service';
import { afterEach, describe, expect, test } from 'vitest';
import { errorOf, patient, startRunner, type TestRunner } from '../test/runner-server.js';
import { type BindOptions, bindRunners, type BoundRunners } from './index.js';

class Doubler {
  static readonly methods = { double: method() };
  double(value: number): number {
    return value * 2;
  }
}

const bound: BoundRunners[] = [];
afterEach(async () => {
  for (const runners of bound.splice(0)) await runners.close();
});

function createService() {
  const remote = createRunner(Doubler, { name: 'remote' });
  const local = createRunner(Doubler, { name: 'local', embedded: true });
  return { remote, local, service: new Service('twice', { runners: [remote, local] }) };
}

function mapOf(runner: TestRunner): RunnerMap {
  return parseRunnerMap({ remote: formatAddress(runner.address) });
}

async function bind(service: Service, map: RunnerMap, options?: BindOptions): Promise<BoundRunners> {
  const runners = await bindRunners(service, map, { minBackoffMs: 5, probeTimeoutMs: 20_000, ...options });
  bound.push(runners);
  return runners;
}

test('embedded runners run here, others at their address', async () => {
  const runner = await startRunner({
    name: 'remote',
    onCall: (call) => call.respond(Number(call.args[0]) * 2000),
  });
  const { service, remote, local } = createService();
  await bind(service, mapOf(runner));
  expect(await remote.double.run(2)).toBe(4000);
  expect(await local.double.run(2)).toBe(4);
});

test('a runner that the map lacks is named', async () => {
  expect(await errorOf(bindRunners(createService().service, parseRunnerMap('')))).toMatchObject({
    code: 'runner_map_invalid',
    message: expect.stringContaining("lacks 'remote'"),
  });
});

describe('readiness', () => {
  test('says of each runner whether it would serve calls', async () => {
    const state = { ready: true };
    const runner = await startRunner({ name: 'remote', isReady: () => state.ready });
    const runners = await bind(createService().service, mapOf(runner), { probeCacheMs: -1 });
    expect(await runners.readiness(patient())).toEqual({ remote: true, local: true });
    state.ready = false;
    expect(await runners.readiness(patient())).toEqual({ remote: false, local: true });
    await runner.kill();
    expect(await runners.readiness(patient())).toEqual({ remote: false, local: true });
  });

  test('of a runner that does not answer is no after its time, and does not keep the others waiting longer', async () => {
    const runner = await startRunner({ onSocket: () => undefined });
    const runners = await bind(createService().service, mapOf(runner), { probeTimeoutMs: 30 });
    expect(await runners.readiness(patient())).toEqual({ remote: false, local: true });
  });

  test('comes back with the runner', async () => {
    const runner = await startRunner({ name: 'remote' });
    const runners = await bind(createService().service, mapOf(runner), { probeCacheMs: -1 });
    await runner.kill();
    expect(await runners.readiness(patient())).toMatchObject({ remote: false });
    await startRunner({ name: 'remote', address: runner.address });
    expect(await runners.readiness(patient())).toMatchObject({ remote: true });
  });

  test('is asked once for all who want to know at the same time', async () => {
    const asked = { count: 0 };
    const runner = await startRunner({
      name: 'remote',
      isReady: () => {
        asked.count += 1;
        return true;
      },
    });
    const runners = await bind(createService().service, mapOf(runner), { probeCacheMs: 60_000 });
    await Promise.all([runners.readiness(patient()), runners.readiness(patient())]);
    await runners.readiness(patient());
    expect(asked.count).toBe(1);
  });

  test('is not waited for by who leaves', async () => {
    const runner = await startRunner({ onSocket: () => undefined });
    const runners = await bind(createService().service, mapOf(runner), { probeTimeoutMs: 50 });
    const controller = new AbortController();
    const asked = errorOf(runners.readiness(controller.signal));
    controller.abort();
    expect(await asked).toMatchObject({ code: 'cancelled' });
    expect(await errorOf(runners.readiness(controller.signal))).toMatchObject({ code: 'cancelled' });
  });
});

test('closing lets go of all runners', async () => {
  const runner = await startRunner({ name: 'remote' });
  const { service, remote, local } = createService();
  const runners = await bind(service, mapOf(runner));
  await remote.double.run(1);
  await runners.close();
  expect(await errorOf(remote.double.run(1))).toMatchObject({ code: 'unavailable' });
  expect(await errorOf(local.double.run(1))).toMatchObject({ code: 'unavailable' });
});

import { status } from '@grpc/grpc-js';
import { json, Service } from '@bentots/service';
import { describe, expect, test } from 'vitest';
import { startApi } from '../test/start-api.js';
import { Health } from './health.js';
import { HealthCheckResponse_ServingStatus as ServingStatus } from './wire/grpc/health/v1/health.gen.js';

const service = new Service('digits').api('read', { input: json(), output: json() }, (value) => value);
const NAMES = ['', 'bentoml.grpc.v1.BentoService', 'digits', 'digits/read', 'grpc.health.v1.Health'];

describe('over the wire', () => {
  test.each(NAMES)("Check of '%s' is SERVING", async (name) => {
    const client = (await startApi(service)).client();
    expect(await client.check(name)).toBe(ServingStatus.SERVING);
  });

  test('List tells every name', async () => {
    const client = (await startApi(service)).client();
    const { statuses } = await client.list();
    expect(Object.keys(statuses).toSorted()).toEqual(NAMES.toSorted());
    expect(Object.values(statuses).every(({ status: state }) => state === ServingStatus.SERVING)).toBe(true);
  });

  test('Check of an unknown name is NOT_FOUND, Watch says SERVICE_UNKNOWN', async () => {
    const client = (await startApi(service)).client();
    await expect(client.check('nobody')).rejects.toMatchObject({ code: status.NOT_FOUND });
    const watch = client.watch('nobody');
    expect((await watch.next()).value).toBe(ServingStatus.SERVICE_UNKNOWN);
    await watch.return(undefined);
  });

  test('is NOT_SERVING while workers of the server crash again and again', async () => {
    const tree = { isHealthy: false };
    const client = (await startApi(service, { isTreeHealthy: () => tree.isHealthy })).client();
    expect(await client.check('')).toBe(ServingStatus.NOT_SERVING);
    tree.isHealthy = true;
    expect(await client.check('')).toBe(ServingStatus.SERVING);
  });

  test('follows the runners', async () => {
    const runners = { classifier: true, segmenter: true };
    const client = (await startApi(service, { readiness: () => Promise.resolve({ ...runners }) })).client();
    expect(await client.check('')).toBe(ServingStatus.SERVING);
    const watch = client.watch('digits/read');
    expect((await watch.next()).value).toBe(ServingStatus.SERVING);
    runners.classifier = false;
    expect(await client.check('digits')).toBe(ServingStatus.NOT_SERVING);
    expect((await watch.next()).value).toBe(ServingStatus.NOT_SERVING);
    runners.classifier = true;
    expect((await watch.next()).value).toBe(ServingStatus.SERVING);
    await watch.return(undefined);
  });
});

describe('the state itself', () => {
  test('a readiness that fails is NOT_SERVING, not an error', async () => {
    const health = new Health({ names: [], isReady: () => Promise.reject(new Error('gone')) });
    expect(await health.check('')).toBe(ServingStatus.NOT_SERVING);
  });

  test('runners are asked again only while somebody watches', async () => {
    let asked = 0;
    const health = new Health({ names: [], isReady: () => Promise.resolve(++asked > 0), pollMs: 5 });
    const forget = health.watch(
      '',
      () => undefined,
      () => undefined,
    );
    await expect.poll(() => asked).toBeGreaterThan(3);
    forget();
    const after = asked;
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(asked).toBe(after);
  });

  test('a state is told once, not at every look', async () => {
    let asked = 0;
    const told: ServingStatus[] = [];
    const health = new Health({ names: [], isReady: () => Promise.resolve(++asked > 0), pollMs: 2 });
    const forget = health.watch(
      '',
      (state) => told.push(state),
      () => undefined,
    );
    await expect.poll(() => asked).toBeGreaterThan(5);
    forget();
    expect(told).toEqual([ServingStatus.SERVING]);
  });

  test('draining wins over a look that began before it', async () => {
    let answer: (ready: boolean) => void = () => undefined;
    const health = new Health({ names: [], isReady: () => new Promise((resolve) => (answer = resolve)) });
    const check = health.check('');
    health.drain();
    answer(true);
    expect(await check).toBe(ServingStatus.NOT_SERVING);
  });
});

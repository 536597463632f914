import { isIP } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { NameWatch, resolveBySystem, type ResolveHost } from './name-watch.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch over a name that stands for `ips`; undefined: it is unknown. */
function createWatch(resolve?: ResolveHost) {
  const state = { ips: ['10.0.0.1'] as readonly string[] | undefined, asked: 0, ticks: 0 };
  const told: string[] = [];
  const ask: ResolveHost = (host) => {
    state.asked += 1;
    return state.ips === undefined ? Promise.reject(new Error(`${host}?`)) : Promise.resolve(state.ips);
  };
  const watch = new NameWatch({
    host: 'runner',
    resolve: resolve ?? ask,
    everyMs: 30_000,
    backoff: { minBackoffMs: 50, maxBackoffMs: 1000, random: () => 0.5 },
    begin: () => (state.ticks += 1),
    onAddresses: (ips) => told.push(ips.join(' ')),
    onFailure: (error, begunAt) => told.push(`${begunAt}: ${String(error)}`),
  });
  return { watch, state, told };
}

test('all addresses are told, each once and in a fixed order', async () => {
  const { watch, state, told } = createWatch();
  state.ips = ['10.0.0.2', '::1', '10.0.0.1', '10.0.0.2'];
  watch.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(['10.0.0.1 10.0.0.2 ::1']);
});

test('nothing is asked before it is started', async () => {
  const { state } = createWatch();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(state.asked).toBe(0);
});

test('the name is asked for again and again', async () => {
  const { watch, state, told } = createWatch();
  watch.start();
  await vi.advanceTimersByTimeAsync(29_999);
  state.ips = ['10.0.0.9'];
  expect(told).toEqual(['10.0.0.1']);
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toEqual(['10.0.0.1', '10.0.0.9']);
});

describe('when a connection fails', () => {
  test('the name is asked for at once', async () => {
    const { watch, state, told } = createWatch();
    watch.start();
    await vi.advanceTimersByTimeAsync(10_000);
    state.ips = ['10.0.0.2'];
    watch.refresh();
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  test('but once a second at most', async () => {
    const { watch, state } = createWatch();
    watch.start();
    await vi.advanceTimersByTimeAsync(5000);
    for (let i = 0; i < 299; i += 1) {
      watch.refresh();
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(state.asked).toBe(4);
  });
});

describe('a name that cannot be resolved', () => {
  test('is told with the moment of the attempt, and tried again after growing pauses', async () => {
    const { watch, state, told } = createWatch();
    state.ips = undefined;
    watch.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['1: Error: runner?']);
    await vi.advanceTimersByTimeAsync(37.5);
    expect(told.length).toBe(2);
    state.ips = ['10.0.0.1'];
    await vi.advanceTimersByTimeAsync(1000);
    expect(told.at(-1)).toBe('10.0.0.1');
  });

  test('by no address is a failure, too', async () => {
    const { watch, state, told } = createWatch();
    state.ips = [];
    watch.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(['1: Error: the host name has no address']);
  });
});

test('after the stop nothing is asked or told', async () => {
  const gate: { open?: (ips: string[]) => void } = {};
  const { watch, told } = createWatch(() => new Promise((resolve) => (gate.open = resolve)));
  watch.start();
  watch.stop();
  gate.open?.(['10.0.0.1']);
  await vi.advanceTimersByTimeAsync(100_000);
  expect(told).toEqual([]);
});

test('the system resolves localhost to addresses of this machine', async () => {
  vi.useRealTimers();
  const ips = await resolveBySystem('localhost');
  expect(ips.length).toBeGreaterThan(0);
  expect(ips.every((ip) => isIP(ip) !== 0)).toBe(true);
  expect(ips.some((ip) => ip.startsWith('127.') || ip === '::1')).toBe(true);
});

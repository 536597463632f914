import { expect, test } from 'vitest';

import { compileHttpServerConfig, compileRunnerServerConfig } from './compile-config.js';
import { isInContainer } from './is-in-container.js';

const bare = { pid: 4711, exists: () => false, read: () => '0::/\n' };

test('a bare machine is no container', () => {
  expect(isInContainer({}, bare)).toBe(false);
  expect(isInContainer({ KUBERNETES_SERVICE_HOST: '', container: '' }, bare)).toBe(false);
  expect(isInContainer({}, { ...bare, read: () => undefined })).toBe(false);
  expect(isInContainer({}, { ...bare, read: () => '1:name=systemd:/init.scope\n' })).toBe(false);
});

test.each([
  ['process 1', {}, { ...bare, pid: 1 }],
  ['the mark of Docker', {}, { ...bare, exists: (path: string) => path === '/.dockerenv' }],
  ['the mark of Podman', {}, { ...bare, exists: (path: string) => path === '/run/.containerenv' }],
  ['a variable of Kubernetes', { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, bare],
  ['a variable of systemd and Podman', { container: 'podman' }, bare],
  ['a control group of Kubernetes', {}, { ...bare, read: () => '12:cpu:/kubepods/besteffort/pod1\n' }],
])('%s tells of a container', (_, environment, facts) => {
  expect(isInContainer(environment, facts)).toBe(true);
});

test('a server in a container ends at a crash loop, so that it is started again; elsewhere it keeps trying', () => {
  const inContainer = { cpus: 1, isInContainer: true };
  const elsewhere = { cpus: 1, isInContainer: false };
  expect(compileHttpServerConfig({}, {}, inContainer).onCrashLoop).toBe('stop');
  expect(compileHttpServerConfig({}, {}, elsewhere).onCrashLoop).toBe('keep');
  expect(compileHttpServerConfig({ onCrashLoop: 'keep' }, {}, inContainer).onCrashLoop).toBe('keep');
  expect(compileHttpServerConfig({}, { BENTOTS_ON_CRASH_LOOP: 'stop' }, elsewhere).onCrashLoop).toBe('stop');
  expect(compileRunnerServerConfig({ runnerName: 'a' }, {}, elsewhere).onCrashLoop).toBe('keep');
  // Code that is being worked on may crash for a while.
  expect(compileHttpServerConfig({ reload: true }, {}, inContainer).onCrashLoop).toBe('keep');
});

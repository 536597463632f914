import { existsSync, readFileSync } from 'node:fs';

import type { Environment } from './environment.js';

/** What {@link isInContainer} looks at; tests bring their own machine. */
export interface ContainerFacts {
  readonly pid: number;
  readonly exists: (path: string) => boolean;
  /** The text of a file, or undefined when it cannot be read. */
  readonly read: (path: string) => string | undefined;
}

/** Files that container engines leave: Docker, Podman. */
const MARKS = ['/.dockerenv', '/run/.containerenv'] as const;

/** Control groups of version 1 are named after the engine that made them. */
const ENGINES = /docker|kubepods|containerd|libpod|lxc/;

/**
 * Whether this process runs in a container, so that somebody outside starts it again when it ends: it is process 1, or an
 * engine or Kubernetes has left its mark.
 */
export function isInContainer(environment: Environment, facts: ContainerFacts = thisMachine()): boolean {
  if (facts.pid === 1 || MARKS.some((path) => facts.exists(path))) return true;
  if (isSet(environment['KUBERNETES_SERVICE_HOST']) || isSet(environment['container'])) return true;
  return ENGINES.test(facts.read('/proc/1/cgroup') ?? '');
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function thisMachine(): ContainerFacts {
  return {
    pid: process.pid,
    exists: existsSync,
    read: (path) => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined; // not Linux, or not ours to read
      }
    },
  };
}

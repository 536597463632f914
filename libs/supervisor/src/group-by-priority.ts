import type { Watcher } from './watcher.js';

/** Watchers of the same priority together, in the order of starting; they stop in the reverse order. */
export function groupByPriority(watchers: readonly Watcher[]): readonly (readonly Watcher[])[] {
  const priorities = new Set(watchers.map(({ config }) => config.priority));
  return [...priorities]
    .sort((a, b) => a - b)
    .map((priority) => watchers.filter(({ config }) => config.priority === priority));
}

import { describeEvent } from '@bentots/start';
import { formatBoundAddress, type TreeStatus, type WorkerStatus } from '@bentots/supervisor';
import type { TimedEvent, TreeRef, TreeStats, WatcherEntry } from '@bentots/supervisor/control';
import Table from 'cli-table3';
import pc from 'picocolors';

import { formatBytes, formatDuration, formatLag, formatShare } from './format-values.js';

/** A table without lines: columns that `grep` and `awk` read, too. */
type Row = readonly string[];

const GOOD = new Set(['running', 'ready', 'active']);
const BAD = new Set(['failed', 'crash-looping', 'backing-off', 'silent']);

function paint(state: string): string {
  if (GOOD.has(state)) return pc.green(state);
  return BAD.has(state) ? pc.red(state) : pc.yellow(state);
}

function formatTable(head: Row, rows: readonly Row[], left: number): string {
  const lines = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'] as const;
  const more = ['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'] as const;
  const table = new Table({
    chars: { ...Object.fromEntries([...lines, ...more].map((name) => [name, ''])), middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: head.map((_, column) => (column < left ? 'left' : 'right')),
  });
  table.push(
    head.map((title) => pc.bold(title)),
    ...rows.map((row) => [...row]),
  );
  return table.toString().replaceAll(/ +$/gm, '');
}

/** `serve:linear  running  pid 4242`. */
function formatHeadline({ name, state, pid }: Omit<TreeRef, 'path'>): string {
  return `${pc.bold(name)}  ${paint(state)}  pid ${pid}`;
}

/** `ctl trees`. */
export function formatTrees(trees: readonly TreeRef[]): string {
  const rows = trees.map(({ name, state, pid, path }) => [name, paint(state), String(pid), path]);
  return formatTable(['TREE', 'STATE', 'PID', 'CONTROL SOCKET'], rows, 4);
}

/** `ctl list`. */
export function formatWatchers(watchers: readonly WatcherEntry[]): string {
  const rows = watchers.map(({ name, state, numProcesses, ready, pids }) => {
    return [name, paint(state), `${ready}/${numProcesses}`, pids.join(' ')];
  });
  return formatTable(['WATCHER', 'STATE', 'READY', 'PIDS'], rows, 4);
}

/** `ctl status`: who is there, where it listens, and what went wrong last. */
export function formatStatus(status: TreeStatus): string {
  const sockets = status.sockets.map(({ name, address }) => `  ${name}  ${formatBoundAddress(address)}`);
  const workers = status.watchers.flatMap((watcher) =>
    watcher.workers.map((worker) => ({ watcher: watcher.name, ...worker })),
  );
  const rows = workers.map((worker) => [
    worker.watcher,
    String(worker.workerId),
    paint(worker.state),
    String(worker.pid ?? '-'),
    formatDuration(worker.uptimeMs),
    String(worker.generation),
    formatRestarts(worker),
  ]);
  const head = ['WATCHER', '#', 'STATE', 'PID', 'UP', 'GENERATION', 'RESTARTS'];
  const errors = workers.flatMap(({ watcher, workerId, lastError, state }) =>
    lastError === undefined || state === 'ready'
      ? []
      : [pc.red(`${watcher} ${workerId}: ${lastError.message}`)],
  );
  const waiting = workers.flatMap(formatSpares);
  return [formatHeadline(status), ...sockets, '', formatTable(head, rows, 3), ...waiting, ...errors].join(
    '\n',
  );
}

/** `ctl stats` and a frame of `top`. */
export function formatStats(stats: TreeStats): string {
  const { arbiter, workers } = stats;
  const facts = `up ${formatDuration(arbiter.uptimeMs)}  arbiter ${formatBytes(arbiter.rssBytes)}`;
  const rows = workers.map((worker) => [
    worker.watcher,
    String(worker.workerId),
    paint(worker.state),
    String(worker.pid ?? '-'),
    formatShare(worker.cpu),
    formatBytes(worker.rssBytes),
    formatLag(worker.lagMs),
    formatShare(worker.utilization),
    String(worker.connections),
    String(worker.restarts),
    formatDuration(worker.uptimeMs),
  ]);
  const head = ['WATCHER', '#', 'STATE', 'PID', 'CPU', 'RSS', 'LAG', 'LOOP', 'CONN', 'RESTARTS', 'UP'];
  return [`${formatHeadline(stats)}  ${facts}`, '', formatTable(head, rows, 3)].join('\n');
}

/** One line: when, and what. */
export function formatEvent({ at, event }: TimedEvent): string {
  const [level, message] = describeEvent(event);
  const paintLevel = { debug: pc.dim, info: String, warn: pc.yellow, error: pc.red }[level];
  return `${pc.dim(at.slice(11, 23))} ${paintLevel(message)}`;
}

/** One line about the processes that wait to be the next ones of a worker, if there are any. */
function formatSpares({ watcher, workerId, spares }: WorkerStatus & { watcher: string }): readonly string[] {
  if (spares.length === 0) return [];
  const pids = spares.map(({ pid, isWarm }) => `${pid ?? '-'}${isWarm ? '' : ' (loads)'}`);
  return [pc.dim(`${watcher} ${workerId}: next in line ${pids.join(', ')}`)];
}

function formatRestarts({ restarts, restartsByReason }: WorkerStatus): string {
  const reasons = Object.entries(restartsByReason).map(([reason, count]) => `${reason} ${count}`);
  return reasons.length === 0 ? String(restarts) : `${restarts} (${reasons.join(', ')})`;
}

const KIB = 1024;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `83 MiB`; `-` when it is not known. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '-';
  const unit = Math.min(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(KIB)), BYTE_UNITS.length - 1);
  const value = bytes / KIB ** unit;
  return `${value.toFixed(unit > 2 ? 1 : 0)} ${BYTE_UNITS[unit]}`;
}

/** `850ms`, `12s`, `3m 20s`, `5h 12m`, `3d 4h`; `-` when it is not known. */
export function formatDuration(ms: number | undefined): string {
  if (ms === undefined) return '-';
  const seconds = Math.floor(ms / 1000);
  const [minutes, hours, days] = [60, 3600, 86_400].map((size) => Math.floor(seconds / size));
  if (days) return `${days}d ${(hours ?? 0) % 24}h`;
  if (hours) return `${hours}h ${(minutes ?? 0) % 60}m`;
  if (minutes) return `${minutes}m ${seconds % 60}s`;
  return seconds > 0 ? `${seconds}s` : `${Math.round(ms)}ms`;
}

/** `42%` of a share from 0 on; `-` when it is not known. */
export function formatShare(share: number | undefined): string {
  return share === undefined ? '-' : `${Math.round(share * 100)}%`;
}

/** `0.4ms`, `12ms`; `-` when it is not known. */
export function formatLag(ms: number | undefined): string {
  if (ms === undefined) return '-';
  return ms < 10 ? `${ms.toFixed(1)}ms` : `${Math.round(ms)}ms`;
}

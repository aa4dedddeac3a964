/** RFC 3339 in UTC, to the second: `2026-07-01T12:00:00Z`. */
export const rfc3339 = (ms: number): string => rfc3339Exact(ms).replace(/\.\d+Z$/, 'Z');

/** RFC 3339 in UTC with milliseconds, where times are compared: `2026-07-01T12:00:00.000Z`. */
export const rfc3339Exact = (ms: number): string => new Date(ms).toISOString();

/** RFC 3339 as a part of a file name: Windows allows no colon there. */
export const timeInFileName = (ms: number): string => rfc3339Exact(ms).replace(/[:.]/g, '-');

const longestPauseMs = 15_000;

/** How long to wait before the next try, `attempt` counted from 0: each pause is twice the one before, and none is over 15 s. */
export const pauseMs = (attempt: number, firstMs: number): number => Math.min(firstMs * 2 ** attempt, longestPauseMs);

/** Pauses for what Microsoft has accepted and is still publishing in its data centres: 89 s in all. */
export const publishingPausesMs: readonly number[] = [2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000, 15_000];

/** A time that passes: `0:14`, `10:00`, `1:00:00`. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h === 0 ? `${m}:${two(s)}` : `${h}:${two(m)}:${two(s)}`;
}

const units = [
  { name: 'day', ms: 86_400_000 },
  { name: 'hour', ms: 3_600_000 },
  { name: 'minute', ms: 60_000 },
  { name: 'second', ms: 1000 },
] as const;

/** `in 58 minutes`, `3 days ago`, `now`. */
export function inWords(ms: number): string {
  const size = Math.abs(ms);
  const unit = units.find((u) => size >= u.ms);
  if (unit === undefined) return 'now';
  const count = Math.floor(size / unit.ms);
  const words = `${count} ${unit.name}${count === 1 ? '' : 's'}`;
  return ms > 0 ? `in ${words}` : `${words} ago`;
}

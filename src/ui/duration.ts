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

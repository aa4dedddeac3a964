/** RFC 3339 in UTC, to the second: `2026-07-01T12:00:00Z`. */
export const rfc3339 = (ms: number): string => rfc3339Exact(ms).replace(/\.\d+Z$/, 'Z');

/** RFC 3339 in UTC with milliseconds, where times are compared: `2026-07-01T12:00:00.000Z`. */
export const rfc3339Exact = (ms: number): string => new Date(ms).toISOString();

/** RFC 3339 as a part of a file name: Windows allows no colon there. */
export const timeInFileName = (ms: number): string => rfc3339Exact(ms).replace(/[:.]/g, '-');

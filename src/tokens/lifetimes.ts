import type { TokenSet } from '../core/mailbox.ts';

const dayMs = 86_400_000;
/** Microsoft, "Refresh tokens in the Microsoft identity platform": 90 days without use; each use gives a new one. */
const idleDays = 90;

/** When the refresh token dies of not being used, in milliseconds since the epoch; undefined without one. */
export function refreshIdleDeadline(set: TokenSet): number | undefined {
  return set.refreshToken === undefined ? undefined : (set.refreshTokenIssuedAt ?? set.issuedAt) + idleDays * dayMs;
}

/** Whole days to the earliest of these, null when there is none; negative when it is past. */
export function daysLeft(now: number, ...deadlines: readonly (number | undefined)[]): number | null {
  const known = deadlines.filter((d) => d !== undefined);
  return known.length === 0 ? null : Math.floor((Math.min(...known) - now) / dayMs);
}

import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';

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

/** What ends at a set-up. */
export interface Ending {
  readonly what: 'sign-in' | 'client secret' | 'certificate';
  /** whole days; negative when it is over */
  readonly days: number;
}

/** The first to end of the app's secret or certificate and, with a token at hand, the sign-in; undefined where nothing does. */
export function firstEnding(now: number, { registration: app }: MailboxRecord, set?: TokenSet): Ending | undefined {
  const secret = daysLeft(now, app.secretExpiresAt === undefined ? undefined : Date.parse(app.secretExpiresAt));
  const signIn = daysLeft(now, set && refreshIdleDeadline(set));
  if (signIn !== null && (secret === null || signIn < secret)) return { what: 'sign-in', days: signIn };
  if (secret === null) return undefined;
  return { what: app.certificateThumbprint === undefined ? 'client secret' : 'certificate', days: secret };
}

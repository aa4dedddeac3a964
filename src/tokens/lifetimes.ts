import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';

const dayMs = 86_400_000;
/** Microsoft, "Refresh tokens in the Microsoft identity platform": 90 days without use; each use gives a new one. */
const idleDays = 90;

/** When the refresh token is lost for want of use, in milliseconds since the epoch; undefined without one. */
export function refreshIdleDeadline(set: TokenSet): number | undefined {
  return set.refreshToken === undefined ? undefined : (set.refreshTokenIssuedAt ?? set.issuedAt) + idleDays * dayMs;
}

/**
 * When a person must sign in again at the latest, in milliseconds since the epoch. Without a refresh token that is the end of the access token.
 * Undefined for an app that acts for itself: it asks for its tokens with its own credential.
 */
export const signInDeadline = ({ access }: Pick<MailboxRecord, 'access'>, set: TokenSet): number | undefined =>
  access === 'app-only' ? undefined : (refreshIdleDeadline(set) ?? set.expiresAt);

/** The sign-in cannot be renewed: it ends with its access token, whatever mailauth does. */
export const cannotRenew = ({ access }: Pick<MailboxRecord, 'access'>, set: TokenSet): boolean =>
  access !== 'app-only' && set.refreshToken === undefined;

/** Whole days until the earliest of these times: negative when it is past, null where none is known. */
export function daysLeft(now: number, ...deadlines: readonly (number | undefined)[]): number | null {
  const known = deadlines.filter((d) => d !== undefined);
  return known.length === 0 ? null : Math.floor((Math.min(...known) - now) / dayMs);
}

/** The first thing of a set-up that ends, if nothing is done. */
export interface Ending {
  readonly what: 'sign-in' | 'client secret' | 'certificate';
  /** whole days; negative when it is over */
  readonly days: number;
}

/** Which ends first: the app's secret or certificate, or the sign-in of this token. Undefined where none of them ends. */
export function firstEnding(now: number, record: MailboxRecord, set?: TokenSet): Ending | undefined {
  const app = record.registration;
  const secret = daysLeft(now, app.secretExpiresAt === undefined ? undefined : Date.parse(app.secretExpiresAt));
  const signIn = daysLeft(now, set && signInDeadline(record, set));
  if (signIn !== null && (secret === null || signIn < secret)) return { what: 'sign-in', days: signIn };
  if (secret === null) return undefined;
  return { what: app.certificateThumbprint === undefined ? 'client secret' : 'certificate', days: secret };
}

/** A sign-in that is not used for 90 days is lost. Renewed once a week, it survives many runs that a timer misses. */
export const defaultRenewAfterDays = 7;

/** Is it time to renew this sign-in, so that it is not lost for want of use? False where there is no refresh token. */
export function wantsRenewal(set: TokenSet, nowMs: number, renewAfterDays: number): boolean {
  if (set.refreshToken === undefined) return false;
  const renewedAt = set.refreshTokenIssuedAt ?? set.issuedAt;
  // A time in the future was noted by a clock that was wrong then.
  return nowMs - renewedAt >= renewAfterDays * dayMs || renewedAt > nowMs;
}

/** A pause before each renewal, so that many computers with the same timer do not ask Microsoft in the same second. */
export function jitterMs(bytes: Uint8Array, limitMs: number): number {
  const random = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return Math.floor((random / 2 ** 32) * limitMs);
}

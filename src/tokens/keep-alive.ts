import type { TokenSet } from '../core/mailbox.ts';

const dayMs = 86_400_000;

/** A sign-in that idles for 90 days is lost; renewed once a week it survives many broken timers. */
export const defaultRenewAfterDays = 7;

/** Does this sign-in want to be used now, so that it does not die of idling? False where there is nothing to renew. */
export function wantsRenewal(set: TokenSet, nowMs: number, renewAfterDays: number): boolean {
  if (set.refreshToken === undefined) return false;
  const renewedAt = set.refreshTokenIssuedAt ?? set.issuedAt;
  // A clock that was wrong then: what was renewed in the future is renewed now.
  return nowMs - renewedAt >= renewAfterDays * dayMs || renewedAt > nowMs;
}

/** A pause before each renewal, in milliseconds: many machines with the same timer shall not meet at Microsoft's door. */
export function jitterMs(bytes: Uint8Array, limitMs: number): number {
  const random = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  return Math.floor((random / 2 ** 32) * limitMs);
}

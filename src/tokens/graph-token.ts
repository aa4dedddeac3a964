import { mailOf } from '../core/cloud.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from '../store/home.ts';
import { currentToken, isFresh, keep, type TokenDeps, type TokenWish, tokenLock, tokenThere } from './current.ts';

/**
 * The token for Microsoft Graph, from the same sign-in as that of the mail servers: a token request names one resource, and the refresh token
 * serves both (learn.microsoft.com/entra/identity-platform/refresh-tokens). It is stored beside the other one, under the same lock. A set-up
 * that has no mail protocol has no other token. Throws as `currentToken` does.
 */
export async function currentGraphToken(record: MailboxRecord, wish: TokenWish, deps: TokenDeps): Promise<TokenSet> {
  if (mailOf(record.protocols).length === 0) return currentToken(record, wish, deps);
  const stored = graphPart(await tokenThere(record, deps));
  if (stored !== undefined && !wish.force && isFresh(stored, wish, deps)) return stored;
  const release = await guardWrites(deps.home, () => deps.ctx.files.lock(tokenLock(deps.home, record), deps.waitMs));
  if (release === undefined) throw problem('refresh-busy', { mailbox: record.mailbox });
  try {
    const now = await tokenThere(record, deps);
    const meanwhile = graphPart(now);
    if (meanwhile !== undefined && meanwhile.issuedAt !== stored?.issuedAt && isFresh(meanwhile, wish, deps)) return meanwhile;
    if (now.refreshToken === undefined) throw problem('not-refreshable', { mailbox: record.mailbox });
    const fresh = await deps.refresh(now);
    const { accessToken, issuedAt, expiresAt, scopes } = fresh;
    const { refreshToken, refreshTokenIssuedAt, ...kept } = now;
    const renewed = { refreshToken: fresh.refreshToken ?? refreshToken, refreshTokenIssuedAt: fresh.refreshTokenIssuedAt ?? issuedAt };
    await keep(record, now, { ...kept, ...renewed, graph: { accessToken, issuedAt, expiresAt, scopes } }, deps);
    return fresh;
  } finally {
    await release();
  }
}

const graphPart = (set: TokenSet): TokenSet | undefined => (set.graph === undefined ? undefined : { ...set, ...set.graph });

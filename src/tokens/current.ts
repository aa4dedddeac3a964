import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { Exit } from '../core/exit.ts';
import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { problem } from '../diagnose/problem.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import type { SecretStore } from '../store/store.ts';
import { decodeTokenSet, encodeTokenSet, tokenEntry } from '../store/token-entry.ts';

export interface TokenDeps {
  readonly ctx: Pick<Context, 'clock' | 'files'>;
  readonly home: string;
  readonly store: SecretStore;
  /** how long another process's refresh is waited for */
  readonly waitMs: number;
  /** trades the refresh token for a new set (RFC 6749 section 6); called under the mailbox's lock */
  refresh(old: TokenSet): Promise<TokenSet>;
  /** a temporary failure was covered by a token that is still valid */
  note(text: string): void;
}

export interface TokenWish {
  /** refreshed when less than this is left, in milliseconds */
  readonly minValidityMs: number;
  /** never answers with the old token */
  readonly force: boolean;
}

/** What is stored for this mailbox; writes nothing. Throws the store problems. */
export async function storedToken(store: SecretStore, record: MailboxRecord): Promise<TokenSet | undefined> {
  const value = await store.read(tokenEntry(record));
  return value === undefined ? undefined : decodeTokenSet(value, record);
}

/**
 * The mailbox's token, from the store while it is fresh (no lock, no write, no network), else refreshed once across all processes.
 * The new set is stored before it is given out. Throws `not-signed-in`, `not-refreshable`, `refresh-busy`, and what a refresh throws.
 */
export async function currentToken(record: MailboxRecord, wish: TokenWish, deps: TokenDeps): Promise<TokenSet> {
  const stored = await storedToken(deps.store, record);
  if (stored === undefined) throw problem('not-signed-in', { mailbox: record.mailbox });
  if (!wish.force && leftMs(stored, deps) >= wish.minValidityMs) return stored;
  const lock = join(deps.home, 'locks', `token-${mailboxSlug(record)}`);
  const release = await guardWrites(deps.home, () => deps.ctx.files.lock(lock, deps.waitMs));
  if (release === undefined) return afterWaiting(record, stored, wish, deps);
  try {
    return await refreshUnderLock(record, stored, wish, deps);
  } finally {
    await release();
  }
}

const leftMs = (set: TokenSet, { ctx }: TokenDeps): number => set.expiresAt - ctx.clock.now();

async function afterWaiting(record: MailboxRecord, before: TokenSet, wish: TokenWish, deps: TokenDeps): Promise<TokenSet> {
  const now = (await storedToken(deps.store, record)) ?? before;
  const isNew = now.issuedAt !== before.issuedAt;
  if (leftMs(now, deps) > 0 && (isNew || !wish.force)) return now;
  throw problem('refresh-busy', { mailbox: record.mailbox });
}

async function refreshUnderLock(record: MailboxRecord, before: TokenSet, wish: TokenWish, deps: TokenDeps): Promise<TokenSet> {
  const now = (await storedToken(deps.store, record)) ?? before;
  // Refreshed by another process while we waited: taken even when less than min-validity is left.
  if (now.issuedAt !== before.issuedAt && leftMs(now, deps) > 0) return now;
  if (now.refreshToken === undefined) {
    if (!wish.force && leftMs(now, deps) > 0) return now;
    throw problem('not-refreshable', { mailbox: record.mailbox });
  }
  try {
    const fresh = await deps.refresh(now);
    await deps.store.write(tokenEntry(record), encodeTokenSet(fresh));
    return fresh;
  } catch (error) {
    const temporary = error instanceof MailauthError && error.exit === Exit.temporary;
    if (!temporary || wish.force || leftMs(now, deps) <= 0) throw error;
    deps.note(`Not refreshed (${error.title}); the stored token is still valid.`);
    return now;
  }
}

import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { Exit, MailauthError } from '../core/errors.ts';
import type { MailboxKey, MailboxRecord, TokenSet } from '../core/mailbox.ts';
import type { SecretStore } from '../core/stores.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { guardWrites } from '../store/home.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import { decodeTokenSet, encodeTokenSet, tokenEntry } from '../store/token-entry.ts';

export interface TokenDeps {
  readonly ctx: Pick<Context, 'clock' | 'files'>;
  readonly home: string;
  readonly store: SecretStore;
  /** how long another process's refresh is waited for */
  readonly waitMs: number;
  /** throws where the sign-in does not belong to what is in force: it must not be handed out or sent */
  refuseForeign(set: TokenSet): Promise<void>;
  /** trades the refresh token for a new set (RFC 6749 section 6); called under the mailbox's lock */
  refresh(old: TokenSet): Promise<TokenSet>;
  /** a temporary failure was covered by a token that is still valid */
  note(text: string): void;
  /** a new token is handed out that could not be stored */
  warn(text: string): void;
}

export interface TokenWish {
  /** refreshed when less than this is left, in milliseconds */
  readonly minValidityMs: number;
  /** never answers with the old token */
  readonly force: boolean;
}

/** The stored token of this mailbox; writes nothing. Throws the store problems. */
export async function storedToken(store: SecretStore, record: MailboxRecord): Promise<TokenSet | undefined> {
  const value = await store.read(tokenEntry(record));
  return value === undefined ? undefined : decodeTokenSet(value, record);
}

/** How many tokens are read at once. */
const pageSize = 500;

/** For a walk over these set-ups in their order: as `storedToken`, but many at once where the store can. */
export function tokensAhead(records: readonly MailboxRecord[]): (store: SecretStore, index: number) => Promise<TokenSet | undefined> {
  let page: Awaited<ReturnType<NonNullable<SecretStore['readMany']>>> = new Map();
  return async (store, index) => {
    const record = records[index];
    if (record === undefined) return undefined;
    const entry = tokenEntry(record);
    if (store.readMany === undefined) return storedToken(store, record);
    if (!page.has(entry)) {
      const next = records.slice(index, index + pageSize).filter((one) => one.store === record.store);
      page = await store.readMany(next.map(tokenEntry));
    }
    if (!page.has(entry)) return storedToken(store, record);
    const value = page.get(entry);
    return value === undefined ? undefined : decodeTokenSet(value, record);
  };
}

interface TurnWork<T> {
  /** `there`: the token as it is stored once this process has its turn; `doneAgoMs`: of the last turn. `done` says that it was renewed */
  act(there: TokenSet, turn: { readonly doneAgoMs: number | undefined; done(): void }): Promise<T>;
  /** another process has the turn: called at once */
  elsewhere(): Promise<T>;
}

/** Machines that renew what is due share the work; a store of one computer has no turns. Throws what `act` throws, and the store's problems. */
export async function inTurn<T>(store: SecretStore, record: MailboxRecord, stored: TokenSet, { act, elsewhere }: TurnWork<T>): Promise<T> {
  if (store.turn === undefined) return act(stored, { doneAgoMs: undefined, done: () => undefined });
  const turn = await store.turn(tokenEntry(record));
  if (turn === undefined) return elsewhere();
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  try {
    return await act((await storedToken(store, record)) ?? stored, { doneAgoMs: turn.doneAgoMs, done });
  } finally {
    await turn.end(isDone);
  }
}

/** A process that changes this mailbox's token holds this lock. */
export const tokenLock = (home: string, key: MailboxKey): string => join(home, 'locks', `token-${mailboxSlug(key)}`);

/** Throws `not-signed-in`: the mailbox never signed in, was logged out, or its entry was moved to another store. */
export async function tokenThere(record: MailboxRecord, deps: TokenDeps): Promise<TokenSet> {
  const stored = await storedToken(deps.store, record);
  if (stored === undefined) throw problem('not-signed-in', { mailbox: record.mailbox });
  await deps.refuseForeign(stored);
  return stored;
}

/**
 * The mailbox's token, from the store while it is fresh (no lock, no write, no network), else refreshed once across all processes.
 * The new set is stored before it is given out. Throws `not-signed-in`, `not-refreshable`, `refresh-busy`, and what a refresh throws.
 */
export async function currentToken(record: MailboxRecord, wish: TokenWish, deps: TokenDeps): Promise<TokenSet> {
  const stored = await tokenThere(record, deps);
  if (!wish.force && isFresh(stored, wish, deps)) return stored;
  let release: (() => Promise<void>) | undefined;
  try {
    release = await guardWrites(deps.home, () => deps.ctx.files.lock(tokenLock(deps.home, record), deps.waitMs));
  } catch (error) {
    // No new token can be stored here, but the stored one is still valid.
    if (!(error instanceof MailauthError) || wish.force || leftMs(stored, deps) <= 0) throw error;
    deps.note(`Not refreshed (${error.title}); the stored token is still valid.`);
    return stored;
  }
  if (release === undefined) return afterWaiting(record, stored, wish, deps);
  try {
    return await refreshUnderLock(record, stored, wish, deps);
  } finally {
    await release();
  }
}

/** How far a clock may be wrong before Microsoft refuses. */
const skewMs = 300_000;

/** A token that was issued in the future is not fresh: the clock was ahead then, so the noted end is wrong, too. */
export const isFresh = (set: Pick<TokenSet, 'issuedAt' | 'expiresAt'>, { minValidityMs }: TokenWish, deps: TokenDeps): boolean =>
  leftMs(set, deps) >= minValidityMs && set.issuedAt <= deps.ctx.clock.now() + skewMs;

const leftMs = (set: Pick<TokenSet, 'expiresAt'>, { ctx }: TokenDeps): number => set.expiresAt - ctx.clock.now();

async function afterWaiting(record: MailboxRecord, before: TokenSet, wish: TokenWish, deps: TokenDeps): Promise<TokenSet> {
  const now = await tokenThere(record, deps);
  const isNew = now.issuedAt !== before.issuedAt;
  if (leftMs(now, deps) > 0 && (isNew || !wish.force)) return now;
  throw problem('refresh-busy', { mailbox: record.mailbox });
}

async function refreshUnderLock(record: MailboxRecord, before: TokenSet, wish: TokenWish, deps: TokenDeps): Promise<TokenSet> {
  // Where the entry is gone, `before` must not be written back: that would undo a logout, or leave a second sign-in after a move.
  const now = await tokenThere(record, deps);
  // A token that another process refreshed meanwhile is taken, even when less than min-validity is left.
  if (now.issuedAt !== before.issuedAt && leftMs(now, deps) > 0) return now;
  if (now.refreshToken === undefined && record.access !== 'app-only') {
    if (!wish.force && leftMs(now, deps) > 0) return now;
    throw problem('not-refreshable', { mailbox: record.mailbox });
  }
  try {
    const fresh = await deps.refresh(now);
    // A sign-in or a logout takes no lock. One that happened during the request counts, and not the new token.
    const there = await tokenThere(record, deps);
    if (there.accessToken.reveal() !== now.accessToken.reveal()) return there;
    await keep(record, now, fresh, deps);
    return fresh;
  } catch (error) {
    const temporary = error instanceof MailauthError && error.exit === Exit.temporary;
    if (!temporary || wish.force || leftMs(now, deps) <= 0) throw error;
    deps.note(`Not refreshed (${error.title}); the stored token is still valid.`);
    return now;
  }
}

/**
 * Puts the new set in place of the old one. Where another program has the file open, the new token is handed out all the same: the stored
 * refresh token can still be used the next time.
 */
export async function keep(record: MailboxRecord, old: TokenSet, fresh: TokenSet, deps: Pick<TokenDeps, 'store' | 'warn'>): Promise<void> {
  try {
    await replace(record, old, fresh, deps.store);
  } catch (error) {
    if (!(error instanceof MailauthError) || error.code !== 'file-in-use') throw error;
    deps.warn(`The new token was not stored: ${error.title}. The next command renews it again.`);
  }
}

/**
 * The old set is in the store until the new one is, as a whole: the sealed file is renamed into place, a keychain entry is exchanged by its
 * service, a split value switches its head last (split.ts). Killed before that, the next refresh presents the old refresh token again:
 * Microsoft does not revoke it when it is used (learn.microsoft.com/entra/identity-platform/refresh-tokens). A store that does not give
 * back what was written gets the old set again, and no token is given out.
 */
async function replace(record: MailboxRecord, old: TokenSet, fresh: TokenSet, store: SecretStore): Promise<void> {
  const entry = tokenEntry(record);
  const value = encodeTokenSet(fresh);
  await store.write(entry, value);
  if ((await store.read(entry))?.reveal() === value.reveal()) return;
  await store.write(entry, encodeTokenSet(old));
  throw problem('store-forgets', { store: plain(store.describe()), mailbox: record.mailbox });
}

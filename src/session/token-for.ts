import { MailauthError } from '../core/errors.ts';
import { isHandedOver, type MailboxKey, type MailboxRecord, type TokenSet } from '../core/mailbox.ts';
import { ofProduct } from '../core/next.ts';
import { currentToken, storedToken, type TokenDeps, type TokenWish } from '../tokens/current.ts';
import { mailboxesOf, withoutToken } from './mailbox-argument.ts';
import type { Session } from './session.ts';

/** A valid token of a mailbox for a command that uses it; network parts are loaded only when a refresh is due. */
export async function tokenOf(session: Session, record: MailboxRecord, wish: TokenWish): Promise<TokenSet> {
  try {
    return await tokenFrom(session, record, wish);
  } catch (error) {
    if (!(error instanceof MailauthError) || !/^(?:not-signed-in|account-changed)$/.test(error.code)) throw ofThisProduct(error, record);
    // `store move` or `login` at the same moment: the mailbox file has named another store or account since it was read.
    const now = await mailboxesOf(session).readMailbox(record);
    const isSame = now?.store === record.store && now.account?.username === record.account?.username;
    if (now === undefined || isSame) throw ofThisProduct(isHandedOver(record) ? withoutToken([record]) : error, record);
    return tokenFrom(session, now, wish);
  }
}

/** An error of one set-up: its commands name the product, too, so that they work where the mailbox is set up for several. */
export const ofThisProduct = (error: unknown, key: MailboxKey): unknown =>
  error instanceof MailauthError ? error.but({ next: error.next.map((step) => ofProduct(step, key)) }) : error;

/**
 * Before a mail server is connected to: the sign-in must belong to what is in force. Whatever else is wrong with it is said when its token is
 * asked for. Throws `authority-changed`, `authority-unknown`, and what `session.store` throws.
 */
export async function refuseForeignSignIn(session: Session, record: MailboxRecord): Promise<void> {
  const store = await session.store(record);
  const stored = await storedToken(store, record).catch((error: unknown) => {
    if (!(error instanceof MailauthError)) throw error;
    return undefined;
  });
  if (stored !== undefined) await session.refuseForeign(record, stored);
}

/** The same for Microsoft Graph. */
export async function graphTokenOf(session: Session, record: MailboxRecord, wish: TokenWish): Promise<TokenSet> {
  const { currentGraphToken } = await import('../tokens/graph-token.ts');
  try {
    return await currentGraphToken(record, wish, {
      ...(await depsOf(session, record)),
      refresh: (old) => session.refreshForGraph(record, old),
    });
  } catch (error) {
    throw ofThisProduct(error, record);
  }
}

async function tokenFrom(session: Session, record: MailboxRecord, wish: TokenWish): Promise<TokenSet> {
  return currentToken(record, wish, { ...(await depsOf(session, record)), refresh: (old) => session.refresh(record, old) });
}

async function depsOf(session: Session, record: MailboxRecord): Promise<Omit<TokenDeps, 'refresh'>> {
  const store = await session.store(record);
  return {
    ctx: session.ctx,
    home: session.home,
    store,
    waitMs: session.stepTimeoutMs,
    refuseForeign: (set) => session.refuseForeign(record, set),
    note: (text) => session.report.detail(text),
    warn: (text) => session.report.note(text),
  };
}

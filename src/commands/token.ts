import type { MailboxRecord, TokenSet } from '../core/mailbox.ts';
import { currentToken, type TokenWish } from '../tokens/current.ts';
import type { Session } from './session.ts';

/** A valid token of a mailbox for a command that uses it; network parts are loaded only when a refresh is due. */
export async function tokenOf(session: Session, record: MailboxRecord, wish: TokenWish): Promise<TokenSet> {
  const store = await session.store(record);
  return currentToken(record, wish, {
    ctx: session.ctx,
    home: session.home,
    store,
    waitMs: session.stepTimeoutMs,
    refresh: (old) => session.refresh(record, old),
    note: (text) => session.report.detail(text),
  });
}

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
    refresh: async (old) => {
      const [{ refreshed }, network, cloud] = await Promise.all([import('../tokens/refresh.ts'), session.network(), session.cloud(record)]);
      session.ctx.log(`refresh ${record.for}: ${cloud.name}`);
      return refreshed(record, old, { ctx: session.ctx, network, cloud, store, timeoutMs: session.stepTimeoutMs });
    },
    note: (text) => session.report.detail(text),
  });
}

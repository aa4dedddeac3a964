import { Exit, MailauthError } from '../core/errors.ts';
import { isHandedOver, type MailboxRecord, type TokenSet } from '../core/mailbox.ts';
import { mailboxesOf } from '../session/mailbox-argument.ts';
import type { Session } from '../session/session.ts';
import { tokenOf } from '../session/token-for.ts';
import { mailboxSlug } from '../store/mailbox-file.ts';
import { inTurn, storedToken } from '../tokens/current.ts';
import { cannotRenew } from '../tokens/lifetimes.ts';

/** A token is renewed when less than this is left of it, or half of its life where that is less. In milliseconds. */
const renewAheadMs = 600_000;

/** How long a set-up that cannot be renewed now is left alone; a request tries it all the same. In milliseconds. */
const afterRefusalMs = 600_000;

/** A renewal is not tried more often, whatever the token says about its end. In milliseconds. */
const leastPauseMs = 60_000;

/**
 * Renews tokens before they end, so that whoever asks is answered at once. The function that it answers looks at every set-up once; between
 * the looks it remembers when each is due. It throws only what stops the agent.
 */
export function renewals(session: Session): () => Promise<void> {
  const { clock, signal } = session.ctx;
  const due = new Map<string, number>();
  /** by set-up: why it was not renewed at the last look, so that an outage is said once */
  const said = new Map<string, string>();

  /** `late`: the old token is still valid, but no new one could be had for now */
  const renew = async (record: MailboxRecord): Promise<'done' | 'late'> => {
    const slug = mailboxSlug(record);
    const now = clock.now();
    if ((due.get(slug) ?? now) > now) return 'done';
    const store = await session.store(record);
    const stored = await storedToken(store, record);
    // Another process may have renewed it since.
    const at = stored === undefined || cannotRenew(record, stored) ? now + afterRefusalMs : dueAt(stored);
    due.set(slug, at);
    if (stored === undefined || at > now) return 'done';
    return inTurn<'done' | 'late'>(store, record, stored, {
      // Another machine renews it: at the next look its token is here.
      async elsewhere() {
        due.delete(slug);
        return 'done';
      },
      async act(_, { done }) {
        const set = await tokenOf(session, record, { minValidityMs: stored.expiresAt - at, force: false });
        due.set(slug, Math.max(dueAt(set), now + leastPauseMs));
        if (set.issuedAt === stored.issuedAt) return 'late';
        done();
        session.report.detail(`${record.mailbox} for ${record.for}: renewed`);
        return 'done';
      },
    });
  };

  const tried = async (record: MailboxRecord): Promise<'done' | 'late'> => {
    const slug = mailboxSlug(record);
    try {
      const outcome = await renew(record);
      said.delete(slug);
      return outcome;
    } catch (error) {
      if (!(error instanceof MailauthError)) throw error;
      if (said.get(slug) !== error.code) session.report.note(`${record.mailbox} for ${record.for}: not renewed. ${error.title}`);
      said.set(slug, error.code);
      if (error.exit === Exit.temporary) return 'late';
      due.set(slug, clock.now() + afterRefusalMs);
      return 'done';
    }
  };

  return async () => {
    const { records } = await mailboxesOf(session).listMailboxes();
    const slugs = new Set(records.map(mailboxSlug));
    for (const slug of due.keys()) if (!slugs.has(slug)) due.delete(slug);
    for (const slug of said.keys()) if (!slugs.has(slug)) said.delete(slug);
    // One after the other: Microsoft throttles many requests at once, and whoever asks meanwhile is answered at once.
    for (const record of records.filter((one) => !isHandedOver(one))) {
      // What is temporary concerns the others, too: the next look tries again.
      if ((await tried(record)) === 'late') return;
      signal.throwIfAborted();
    }
  };
}

const dueAt = ({ issuedAt, expiresAt }: TokenSet): number => expiresAt - Math.min(renewAheadMs, (expiresAt - issuedAt) / 2);

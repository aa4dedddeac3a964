import { handoffFolder, handoffKeys } from '../../by-hand/handoff/write-handoff.ts';
import type { MailboxKey, MailboxRecord } from '../../core/mailbox.ts';
import { rotationNotes } from '../../secrets/rotation-notes.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { type InterruptedSetup, journals } from '../../setup/journal/journal-file.ts';
import { guardWrites } from '../../store/home.ts';
import { mailboxSlug } from '../../store/mailbox-file.ts';
import { pendingSecretEntry, secretEntriesOf } from '../../store/token-entry.ts';
import { tokenLock } from '../../tokens/current.ts';

/** What this computer has of one mailbox and product: a finished set-up, an interrupted one, a folder for the administrator. */
export interface LocalTraces extends MailboxKey {
  readonly record?: MailboxRecord;
  readonly journal?: InterruptedSetup;
}

export async function localTraces({ ctx, home }: Session, records: readonly MailboxRecord[]): Promise<readonly LocalTraces[]> {
  const found = new Map<string, LocalTraces>();
  const note = (key: MailboxKey, more: Pick<LocalTraces, 'record' | 'journal'>) => {
    const slug = mailboxSlug(key);
    found.set(slug, { ...found.get(slug), mailbox: key.mailbox, for: key.for, ...more });
  };
  for (const record of records) note(record, { record });
  for (const journal of await journals(ctx, home).all()) {
    const { mailbox, for: product } = journal.answers;
    if (mailbox !== undefined && product !== undefined) note({ mailbox, for: product }, { journal });
  }
  for (const key of await handoffKeys(ctx, home)) note(key, {});
  return [...found.values()];
}

/** Secrets first: if the store refuses, the mailbox file is still there to try again with. */
export async function forget(session: Session, { record, journal, ...key }: LocalTraces): Promise<void> {
  const { ctx, home } = session;
  // A set-up that has not opened a store yet has no secret either.
  if (journal?.store !== undefined) await (await session.store({ store: journal.store })).remove(pendingSecretEntry(key));
  if (record !== undefined) await forgetSecrets(session, record);
  await guardWrites(home, () => ctx.files.removeTree(handoffFolder(home, key)));
  await journals(ctx, home).forget(key);
  if (record === undefined) return;
  await rotationNotes(ctx, home).forget(record);
  await mailboxesOf(session).removeMailbox(record);
}

const lockWaitMs = 2_000;

async function forgetSecrets(session: Session, record: MailboxRecord): Promise<void> {
  const store = await session.store(record);
  const { ctx, home } = session;
  // A refresh that is about to store its token comes first. One that hangs is not waited for: it looks again before it writes.
  const release = await guardWrites(home, () => ctx.files.lock(tokenLock(home, record), lockWaitMs));
  try {
    for (const entry of secretEntriesOf(record)) await store.remove(entry);
  } finally {
    await release?.();
  }
}

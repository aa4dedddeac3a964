import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import type { Reporter } from '../../core/run-parts.ts';
import type { SecretStore } from '../../core/stores.ts';
import type { MailboxFiles } from '../../store/mailbox-file.ts';
import { clientSecretEntry, encodeTokenSet, pendingSecretEntry, tokenEntry } from '../../store/token-entry.ts';

/** Where new tokens go. */
export interface TokenKeeper {
  readonly report: Reporter;
  readonly mailboxes: MailboxFiles;
  readonly store: SecretStore;
  /** what happens to the client secret of an unfinished set-up: set-up takes it over, `login` leaves it alone */
  readonly pendingSecret: 'promote' | 'leave';
}

/** Stores the tokens, then writes the mailbox file with the account that signed in: the file never promises what the store does not have. */
export async function keepTokens(record: MailboxRecord, tokens: TokenSet, keeper: TokenKeeper): Promise<void> {
  const { report, mailboxes, store, pendingSecret } = keeper;
  await store.write(tokenEntry(record), encodeTokenSet(tokens));
  if (pendingSecret === 'promote') await promoteSecret(record, store);
  await mailboxes.writeMailbox({ ...record, account: tokens.account });
  const told =
    record.access === 'app-only'
      ? (['token', 'The app has a token of its own; stored'] as const)
      : (['sign-in', `Signed in as ${tokens.account.username}; tokens stored`] as const);
  report.progress(told[0], 'done', `${told[1]}: ${store.describe()}`);
}

/**
 * A new client secret waits beside the old one until a sign-in has worked with it, so that a failed attempt loses nothing. Here it takes
 * the old one's place.
 */
export async function promoteSecret(record: MailboxRecord, store: SecretStore): Promise<void> {
  const pending = pendingSecretEntry(record);
  const secret = await store.read(pending);
  if (secret === undefined) return;
  await store.write(clientSecretEntry(record), secret);
  await store.remove(pending);
}

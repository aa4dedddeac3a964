import type { MailboxKey } from '../core/mailbox.ts';
import { rotatedSecretEntry } from '../secrets/rotation-notes.ts';
import { pendingSecretEntry } from '../setup/register/client-secret.ts';
import { clientSecretEntry, tokenEntry } from '../store/token-entry.ts';

/** Every entry that a mailbox may have in the secret store: what goes with logout, and moves with `store move`. */
export const secretEntriesOf = (key: MailboxKey): readonly string[] => [
  tokenEntry(key),
  clientSecretEntry(key),
  pendingSecretEntry(key),
  rotatedSecretEntry(key),
];

import type { Cloud, ProtocolWord } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import type { Reporter, Run } from '../../core/run-parts.ts';
import { authorityOf } from '../../core/sign-in-authority.ts';
import type { SecretStore } from '../../core/stores.ts';
import { type ProtocolResult, proofOf, stageTally } from '../../mail/result.ts';
import { runTests, type TestToken } from '../../mail/run-tests.ts';
import type { Stage } from '../../mail/stages.ts';
import { decodeClientSecret, encodeClientSecret } from '../../store/client-secret-entry.ts';
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
  report.progress(told[0], 'done', told[1]);
}

/**
 * A new client secret waits beside the old one until a sign-in has worked with it, so that a failed attempt loses nothing. Here it takes
 * the old one's place.
 */
export async function promoteSecret(record: MailboxRecord, store: SecretStore): Promise<void> {
  const pending = pendingSecretEntry(record);
  const stored = await store.read(pending);
  if (stored === undefined) return;
  // The app of a certificate got its ID only after the certificate was stored.
  const authority = authorityOf(record.cloud, { tenantId: record.tenantId, clientId: record.registration.clientId });
  await store.write(clientSecretEntry(record), encodeClientSecret(decodeClientSecret(stored).secret, authority));
  await store.remove(pending);
}

/** The proof at the end of a set-up or a sign-in: each protocol of the set-up, live. A red test is a value. */
export async function testMailbox(
  run: Pick<Run, 'ctx' | 'report' | 'stepTimeoutMs' | 'network'>,
  record: MailboxRecord,
  cloud: Cloud,
  token: () => Promise<TestToken>,
  graphToken?: () => Promise<TestToken>,
): Promise<readonly ProtocolResult[]> {
  const { ctx, report, stepTimeoutMs } = run;
  const tally = stageTally(record.protocols);
  const started = (text: string) => report.progress('test', 'started', text);
  started(tally.text());
  const network = await run.network();
  const onStage = (protocol: ProtocolWord, stage: Stage) => started(tally.note(protocol, stage));
  const { protocols } = record;
  const results = await runTests({
    ...{ ctx, network, cloud, record, protocols, token, timeoutMs: stepTimeoutMs, onStage },
    ...defined({ graphToken }),
  });
  for (const result of results) {
    const { ok, protocol, diagnosis } = result;
    report.progress('test', ok ? 'done' : 'failed', `${protocol.toUpperCase()}: ${ok ? proofOf(result) : (diagnosis?.title ?? 'failed')}`);
  }
  return results;
}

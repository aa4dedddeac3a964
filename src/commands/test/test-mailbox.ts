import type { ProtocolWord } from '../../core/cloud.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import type { ProtocolResult } from '../../mail/result.ts';
import { rememberTests, runTests, type TestRun } from '../../mail/run-tests.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { graphTokenOf, tokenOf } from '../../session/token-for.ts';

/** How long a token must still be valid for a test, in milliseconds. */
const validity = { minValidityMs: 60_000, force: false } as const;

/** Tests these protocols of one mailbox with its own tokens, and notes the results in its mailbox file. */
export async function testMailbox(
  session: Session,
  record: MailboxRecord,
  protocols: readonly ProtocolWord[],
  more: Pick<TestRun, 'sendTo' | 'onStage'> = {},
): Promise<readonly ProtocolResult[]> {
  const { ctx, stepTimeoutMs: timeoutMs } = session;
  const [network, cloud] = await Promise.all([session.network(), session.cloud(record)]);
  const token = () => tokenOf(session, record, validity);
  const graphToken = () => graphTokenOf(session, record, validity);
  const results = await runTests({ ctx, network, cloud, record, protocols, timeoutMs, token, graphToken, ...more });
  await remember(record, results, session);
  return results;
}

/**
 * Notes the results of a test in the mailbox file. A home that cannot be written does not spoil the test. The file is read again first,
 * because a test of many mailboxes takes its time, and what another command wrote meanwhile must stay.
 */
export async function remember(record: MailboxRecord, results: readonly ProtocolResult[], session: Session): Promise<void> {
  try {
    const files = mailboxesOf(session);
    const now = await files.readMailbox(record);
    if (now !== undefined) await files.writeMailbox(rememberTests(now, results, session.ctx.clock.now()));
  } catch {
    session.report.detail('The result could not be noted in the mailbox file.');
  }
}

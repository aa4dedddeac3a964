import type { MailboxRecord } from '../../core/mailbox.ts';
import type { ProtocolResult } from '../../mail/result.ts';
import { rememberTests } from '../../mail/run-tests.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';

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

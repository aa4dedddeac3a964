import type { MailboxRecord } from '../core/mailbox.ts';
import { type Asked, type Outgoing, outgoing } from '../sending/outgoing.ts';
import { type Sent, sendMessage, type Via } from '../sending/send-message.ts';
import type { Session } from './session.ts';
import { graphTokenOf, tokenOf } from './token-for.ts';

const wish = { minValidityMs: 300_000, force: false };
/** RFC 5321 section 4.5.3.2.6: who gives up earlier sends the message twice. */
const answerMs = 600_000;

/**
 * Sends a message (RFC 5322) from a set-up mailbox, by SMTP or through Microsoft Graph: the one door for every command that sends. Resolves only
 * where a server took it; `sent.error` says that some recipients were refused. Everything else is thrown.
 */
export async function sendFrom(
  session: Session,
  record: MailboxRecord,
  raw: Buffer,
  asked: Omit<Asked, 'mailbox'> & { readonly via: Via },
): Promise<{ readonly mail: Outgoing; readonly sent: Sent }> {
  const { ctx, globals } = session;
  const mail = outgoing(raw, { ...asked, mailbox: record.mailbox }, ctx);
  const [network, cloud] = await Promise.all([session.network(), session.cloud(record)]);
  const sent = await sendMessage(record, mail, {
    ...{ ctx, via: asked.via, network, cloud, timeoutMs: session.stepTimeoutMs, answerMs: globals.timeoutMs ?? answerMs },
    token: () => tokenOf(session, record, wish),
    graphToken: () => graphTokenOf(session, record, wish),
  });
  return { mail, sent };
}

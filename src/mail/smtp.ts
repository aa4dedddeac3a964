import type { Clock, Context, Random } from '../core/context.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { withoutToken } from '../tokens/sasl.ts';
import { type Conversation, type MailTest, protocolTest } from './protocol-test.ts';
import type { MailResult } from './result.ts';
import { smtpPreflight } from './smtp-preflight.ts';
import { explainSmtp } from './smtp-problem.ts';
import { type SmtpSession, smtpSession } from './smtp-session.ts';

export interface SmtpTest extends MailTest {
  readonly ctx: Pick<Context, 'network' | 'clock' | 'signal' | 'random'>;
  /** one message goes there; without it nothing is sent and the stage `send` is skipped */
  readonly sendTo?: string | undefined;
}

/** The live SMTP test: the preflight on a connection of our own, then nodemailer on a second one. */
export function testSmtp(test: SmtpTest): Promise<MailResult> {
  const { ctx, host, mailbox, user, timeoutMs, sendTo } = test;
  const preflight = smtpPreflight(ctx.network, ctx.clock, host);
  let opened: SmtpSession | undefined;
  const session = (): SmtpSession => {
    if (opened === undefined) throw new Error('smtp: not connected yet');
    return opened;
  };

  const work: Conversation['work'] = {
    async auth(token, signal) {
      opened = await smtpSession({ network: ctx.network, host, user, token, timeoutMs }, signal);
      await opened.signIn(signal);
      return plain(`signed in as ${user}`);
    },
    async mailbox(_token, signal) {
      await session().offerMail(mailbox, signal);
      return plain(`may send as ${mailbox}`);
    },
    async quit(_token, signal) {
      await session().signOut(signal);
      return 'signed out';
    },
  };
  if (sendTo !== undefined) work.send = (token, signal) => send(session(), test, { to: sendTo, token, signal });

  return protocolTest(test, {
    protocol: 'smtp',
    preflight,
    checkNames() {
      if (/[\p{Cc}<>]/u.test(`${user}${mailbox}${sendTo ?? ''}`)) throw problem('mail-user-name', {});
    },
    beforeAuth: (_token, signal) => preflight.finish(signal),
    work,
    explain: (cause, at, clean) => explainSmtp(cause, { ...at, sendTo }, clean),
    close() {
      opened?.close();
      preflight.close();
    },
  });
}

async function send(
  session: SmtpSession,
  { mailbox, user, ctx }: SmtpTest,
  { to, token, signal }: { readonly to: string; readonly token: Secret; readonly signal: AbortSignal },
): Promise<string> {
  const message = testMessage(mailbox, to, ctx);
  const reply = await session.send({ from: mailbox, to, message: message.text }, signal);
  return plain(`Message-ID ${message.id} to ${to}: ${withoutToken(reply, user, token)}`);
}

interface TestMessage {
  /** with its angle brackets */
  readonly id: string;
  /** RFC 5322, lines ended by CRLF */
  readonly text: string;
}

/** The one small message of `--send-to`, ASCII only. Both addresses are without control characters and angle brackets. */
function testMessage(from: string, to: string, { clock, random }: { clock: Clock; random: Random }): TestMessage {
  const id = `<${random.uuid()}@${from.split('@')[1] ?? 'mailauth.invalid'}>`;
  const lines = [
    `From: <${from}>`,
    `To: <${to}>`,
    'Subject: mailauth test message',
    `Date: ${new Date(clock.now()).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: ${id}`,
    // Keeps holiday notices from answering (RFC 3834 section 5).
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `"mailauth test smtp --send-to" sent this through ${from} with OAuth 2.`,
    'Nothing needs to be done; the message can be deleted.',
    '',
  ];
  return { id, text: lines.join('\r\n') };
}

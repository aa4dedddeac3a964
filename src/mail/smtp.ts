import type { Context } from '../core/context.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { withoutToken, xoauth2 } from '../tokens/sasl.ts';
import type { MailAttempt } from './mail-refusal.ts';
import { attemptOf, lateStage, lostDuringAuth, type MailTest, totalOf } from './mail-test.ts';
import { type ProtocolResult, protocolResult } from './result.ts';
import { smtpPreflight } from './smtp-preflight.ts';
import { readSmtpFailure, smtpProblem } from './smtp-problem.ts';
import { type SmtpSession, smtpSession } from './smtp-session.ts';
import { runStages, stageOrder } from './stages.ts';
import { testMessage } from './test-message.ts';

export interface SmtpTest extends MailTest {
  readonly ctx: Pick<Context, 'network' | 'clock' | 'signal' | 'random'>;
  /** one message goes there; without it nothing is sent and the stage `send` is skipped */
  readonly sendTo?: string;
}

/**
 * The live SMTP test: each stage with its time, and a diagnosis of the first failure. A red test is a value; rejects
 * only with the signal's reason. The token goes to the server over checked TLS and nowhere else.
 */
export async function testSmtp(test: SmtpTest): Promise<ProtocolResult> {
  const { ctx, host, mailbox, user, timeoutMs, sendTo } = test;
  const preflight = smtpPreflight(ctx.network, ctx.clock, host);
  let token: Secret | undefined;
  let session: SmtpSession | undefined;

  /** A conversation of nodemailer, its failures in our words. */
  const talk = async <T>(phase: MailAttempt['phase'], signal: AbortSignal, work: (session: SmtpSession) => Promise<T>): Promise<T> => {
    if (token === undefined) throw new Error('smtp: no token yet');
    try {
      session ??= await smtpSession({ network: ctx.network, host, user, token, timeoutMs }, signal);
      return await work(session);
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw explain(cause, phase, token, test);
    }
  };

  const send = async (to: string, signal: AbortSignal): Promise<string> => {
    const message = testMessage(mailbox, to, ctx);
    const reply = await talk('send', signal, (s) => s.send({ from: mailbox, to, message: message.text }, signal));
    return plain(`Message-ID ${message.id} to ${to}: ${token === undefined ? '' : withoutToken(reply, user, token)}`);
  };

  try {
    const run = await runStages({
      order: stageOrder('smtp', host.security),
      clock: ctx.clock,
      signal: ctx.signal,
      timeoutMs,
      totalMs: totalOf(test),
      late: lateStage(test),
      onStage: test.onStage,
      work: {
        async token() {
          token = await test.token();
          // Refuses names that would add fields to the SASL message or to the envelope, before anything is sent.
          xoauth2(user, token);
          if (/[\p{Cc}<>]/u.test(`${user}${mailbox}${sendTo ?? ''}`)) throw problem('mail-user-name', {});
          return `${token.length} characters`;
        },
        dns: preflight.dns,
        connect: preflight.connect,
        tls: preflight.tls,
        greeting: preflight.greeting,
        capability: preflight.capability,
        async auth(signal) {
          await preflight.finish(signal);
          await talk('auth', signal, (s) => s.signIn(signal));
          return plain(`signed in as ${user}`);
        },
        async mailbox(signal) {
          await talk('mailbox', signal, (s) => s.offerMail(mailbox, signal));
          return plain(`may send as ${mailbox}`);
        },
        ...(sendTo === undefined ? {} : { send: (signal: AbortSignal) => send(sendTo, signal) }),
        async quit(signal) {
          await talk('quit', signal, (s) => s.signOut(signal));
          return 'signed out';
        },
      },
    });
    return protocolResult({ mailbox, protocol: 'smtp', host, user }, run);
  } finally {
    session?.close();
    preflight.close();
  }
}

function explain(cause: unknown, phase: MailAttempt['phase'], token: Secret, test: SmtpTest): Error {
  const at = attemptOf(test, 'smtp', phase, token);
  const failure = readSmtpFailure(cause, (said) => withoutToken(said, test.user, token));
  return lostDuringAuth(cause, at) ?? smtpProblem(failure, cause, { ...at, sendTo: test.sendTo });
}

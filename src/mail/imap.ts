import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { withoutToken, xoauth2 } from '../tokens/sasl.ts';
import { imapPreflight } from './imap-preflight.ts';
import { type ImapSession, imapSession } from './imap-session.ts';
import { type ImapFailure, imapProblem, readImapFailure } from './mail-problem.ts';
import type { MailAttempt } from './mail-refusal.ts';
import { attemptOf, lateStage, type MailTest, totalOf } from './mail-test.ts';
import { type ProtocolResult, protocolResult } from './result.ts';
import { runStages, stageOrder } from './stages.ts';

/**
 * The live IMAP test: each stage with its time, and a diagnosis of the first failure. A red test is a value; rejects
 * only with the signal's reason. The token goes to the server over checked TLS and nowhere else.
 */
export async function testImap(test: MailTest): Promise<ProtocolResult> {
  const { ctx, host, mailbox, user, timeoutMs } = test;
  const preflight = imapPreflight(ctx.network, ctx.clock, host);
  let token: Secret | undefined;
  let session: ImapSession | undefined;

  /** A conversation of imapflow, its failures in our words. */
  const talk = async <T>(phase: MailAttempt['phase'], signal: AbortSignal, work: (session: ImapSession) => Promise<T>): Promise<T> => {
    if (token === undefined) throw new Error('imap: no token yet');
    session ??= await imapSession({ network: ctx.network, host, user, token, timeoutMs }, signal);
    try {
      return await work(session);
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw explain(cause, session.evidence(), phase, token, test);
    }
  };

  try {
    const run = await runStages({
      order: stageOrder('imap', host.security),
      clock: ctx.clock,
      signal: ctx.signal,
      timeoutMs,
      totalMs: totalOf(test),
      late: lateStage(test),
      onStage: test.onStage,
      work: {
        async token() {
          token = await test.token();
          // Refuses a user name that would add fields to the SASL message, before anything is sent.
          xoauth2(user, token);
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
          const count = await talk('mailbox', signal, (s) => s.examineInbox(signal));
          return count === 1 ? '1 message' : `${count} messages`;
        },
        async quit(signal) {
          await talk('quit', signal, (s) => s.signOut(signal));
          return 'signed out';
        },
      },
    });
    return protocolResult({ mailbox, protocol: 'imap', host, user }, run);
  } finally {
    session?.close();
    preflight.close();
  }
}

function explain(cause: unknown, evidence: unknown, phase: MailAttempt['phase'], token: Secret, test: MailTest): Error {
  const { user } = test;
  const clean = (said: string): string => withoutToken(said, user, token);
  const thrown = readImapFailure(cause, clean);
  // A lost connection says little, its BYE not much more: the server's last refusal before it says what is wrong.
  const lost = thrown.reply === undefined || thrown.code !== undefined;
  const before = lost && evidence !== undefined ? readImapFailure(evidence, clean) : undefined;
  const failure = before === undefined || (before.reply === undefined && thrown.reply !== undefined) ? thrown : withWords(thrown, before);
  return imapProblem(failure, cause, attemptOf(test, 'imap', phase, token));
}

function withWords(thrown: ImapFailure, said: ImapFailure): ImapFailure {
  return { ...thrown, code: said.code ?? thrown.code, responseCode: said.responseCode, reply: said.reply, throttleMs: said.throttleMs };
}

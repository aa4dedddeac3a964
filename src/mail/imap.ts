import type { MailHost } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import type { MailauthError } from '../core/errors.ts';
import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { type ImapAttempt, type ImapFailure, imapProblem, readImapFailure, type TokenEvidence } from '../diagnose/mail-problem.ts';
import { problem } from '../diagnose/problem.ts';
import { type ImapSession, imapSession } from './imap-session.ts';
import { imapPreflight } from './preflight.ts';
import { type ProtocolResult, protocolResult } from './result.ts';
import { withoutToken, xoauth2 } from './sasl.ts';
import { runStages, type Stage, type StageName, stageOrder } from './stages.ts';

export interface ImapTest {
  readonly ctx: Pick<Context, 'network' | 'clock' | 'signal'>;
  readonly host: MailHost;
  readonly mailbox: string;
  /** the name for SASL `user=` */
  readonly user: string;
  /** rejects with a `MailauthError` where there is none */
  readonly token: () => Promise<Secret>;
  /** for each stage */
  readonly timeoutMs: number;
  /** reads the token's claims, for the diagnosis of a refusal only */
  readonly claims?: (token: Secret) => TokenEvidence | undefined;
  /** the delegate of a shared mailbox */
  readonly signInAs?: string;
  readonly outlookScopeBase?: string;
  readonly onStage?: (stage: Stage) => void;
}

/**
 * The live IMAP test: each stage with its time, and a diagnosis of the first failure. A red test is a value; rejects
 * only with the signal's reason. The token goes to the server over checked TLS and nowhere else.
 */
export async function testImap(test: ImapTest): Promise<ProtocolResult> {
  const { ctx, host, mailbox, user, timeoutMs } = test;
  const preflight = imapPreflight(ctx.network, ctx.clock, host);
  let token: Secret | undefined;
  let session: ImapSession | undefined;

  /** A conversation of imapflow, its failures in our words. */
  const talk = async <T>(phase: ImapAttempt['phase'], signal: AbortSignal, work: (session: ImapSession) => Promise<T>): Promise<T> => {
    if (token === undefined) throw new Error('imap: no token yet');
    session ??= await imapSession({ network: ctx.network, host, user, token, timeoutMs }, signal);
    try {
      return await work(session);
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      throw explain(cause, session.evidence(), phase, token, test);
    }
  };

  const late = (stage: StageName): MailauthError => {
    const where = { host: host.host, port: host.port };
    return stage === 'connect'
      ? problem('connect-timeout', { ...where, purpose: 'the mail server' })
      : problem('mail-stage-timeout', { ...where, stage, timeoutMs });
  };

  try {
    const run = await runStages({
      order: stageOrder('imap', host.security),
      clock: ctx.clock,
      signal: ctx.signal,
      timeoutMs,
      late,
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

function explain(cause: unknown, evidence: unknown, phase: ImapAttempt['phase'], token: Secret, test: ImapTest): Error {
  const { host, mailbox, user, ctx } = test;
  const clean = (said: string): string => withoutToken(said, user, token);
  const thrown = readImapFailure(cause, clean);
  // A lost connection says little: the server's last words before it say more.
  const failure = thrown.reply === undefined && evidence !== undefined ? withWords(thrown, readImapFailure(evidence, clean)) : thrown;
  return imapProblem(failure, cause, {
    mailbox,
    user,
    host: host.host,
    port: host.port,
    phase,
    tokenLength: token.length,
    token: test.claims?.(token),
    signInAs: test.signInAs,
    outlookScopeBase: test.outlookScopeBase,
    now: ctx.clock.now(),
  });
}

function withWords(thrown: ImapFailure, said: ImapFailure): ImapFailure {
  return { ...thrown, code: said.code ?? thrown.code, responseCode: said.responseCode, reply: said.reply, throttleMs: said.throttleMs };
}

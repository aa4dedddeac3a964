import type { Secret } from '../core/secret.ts';
import { plain } from '../core/text.ts';
import { xoauth2 } from '../tokens/sasl.ts';
import type { MailAttempt } from './mail-refusal.ts';
import { attemptOf, lateStage, lostDuringAuth, type MailTest, totalOf } from './mail-test.ts';
import { popProblem } from './pop-problem.ts';
import { PopRefusal, popSession } from './pop-session.ts';
import { type ProtocolResult, protocolResult } from './result.ts';
import { runStages, stageOrder } from './stages.ts';

/**
 * The live POP3 test: each stage with its time, and a diagnosis of the first failure. A red test is a value; rejects
 * only with the signal's reason. The token goes to the server over checked TLS and nowhere else. No message is read.
 */
export async function testPop(test: MailTest): Promise<ProtocolResult> {
  const { ctx, host, mailbox, user, timeoutMs } = test;
  const session = popSession(ctx.network, ctx.clock, host);
  let token: Secret | undefined;

  const talk = async <T>(phase: MailAttempt['phase'], work: (token: Secret) => Promise<T>): Promise<T> => {
    if (token === undefined) throw new Error('pop: no token yet');
    try {
      return await work(token);
    } catch (cause) {
      throw explain(cause, attemptOf(test, 'pop', phase, token));
    }
  };

  try {
    const run = await runStages({
      order: stageOrder('pop', host.security),
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
        dns: session.dns,
        connect: session.connect,
        tls: session.tls,
        greeting: session.greeting,
        capability: session.capability,
        async auth(signal) {
          await talk('auth', (secret) => session.signIn(user, secret, signal));
          return plain(`signed in as ${user}`);
        },
        async mailbox(signal) {
          const count = await talk('mailbox', () => session.count(signal));
          return count === 1 ? '1 message' : `${count} messages`;
        },
        async quit(signal) {
          await talk('quit', () => session.signOut(signal));
          return 'signed out';
        },
      },
    });
    return protocolResult({ mailbox, protocol: 'pop', host, user }, run);
  } finally {
    session.close();
  }
}

function explain(cause: unknown, at: MailAttempt): unknown {
  if (cause instanceof PopRefusal) return popProblem(cause.reply, at);
  return lostDuringAuth(cause, at) ?? cause;
}

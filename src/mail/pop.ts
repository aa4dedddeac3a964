import { plain } from '../core/text.ts';
import { explainPop } from './pop-problem.ts';
import { popSession } from './pop-session.ts';
import { type MailTest, messages, protocolTest } from './protocol-test.ts';
import type { ProtocolResult } from './result.ts';

/** The live POP3 test, all on one connection. No message is read. */
export function testPop(test: MailTest): Promise<ProtocolResult> {
  const { ctx, host, user } = test;
  const session = popSession(ctx.network, ctx.clock, host);
  return protocolTest(test, {
    protocol: 'pop',
    preflight: session,
    work: {
      async auth(token, signal) {
        await session.signIn(user, token, signal);
        return plain(`signed in as ${user}`);
      },
      async mailbox(_token, signal) {
        return messages(await session.count(signal));
      },
      async quit(_token, signal) {
        await session.signOut(signal);
        return 'signed out';
      },
    },
    explain: explainPop,
    close: session.close,
  });
}

import { plain } from '../core/text.ts';
import { imapPreflight } from './imap-preflight.ts';
import { imapFailure, imapProblem } from './imap-problem.ts';
import { type ImapSession, imapSession } from './imap-session.ts';
import { type MailTest, messages, protocolTest } from './protocol-test.ts';
import type { MailResult } from './result.ts';

/** The live IMAP test: the preflight on a connection of our own, then imapflow on a second one. */
export function testImap(test: MailTest): Promise<MailResult> {
  const { ctx, host, user, timeoutMs } = test;
  const preflight = imapPreflight(ctx.network, ctx.clock, host);
  let opened: ImapSession | undefined;
  const session = (): ImapSession => {
    if (opened === undefined) throw new Error('imap: not connected yet');
    return opened;
  };

  return protocolTest(test, {
    protocol: 'imap',
    preflight,
    async beforeAuth(token, signal) {
      await preflight.finish(signal);
      opened = await imapSession({ network: ctx.network, host, user, token, timeoutMs }, signal);
    },
    work: {
      async auth(_token, signal) {
        await session().signIn(signal);
        return plain(`signed in as ${user}`);
      },
      async mailbox(_token, signal) {
        return messages(await session().examineInbox(signal));
      },
      async quit(_token, signal) {
        await session().signOut(signal);
        return 'signed out';
      },
    },
    explain: (cause, at, clean) => imapProblem(imapFailure(cause, session().evidence(), clean), cause, at),
    close() {
      opened?.close();
      preflight.close();
    },
  });
}

import type { MailauthError } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { recognised } from '../errors/recognise/recognise.ts';
import {
  appRefused,
  lostDuringAuth,
  type MailAttempt,
  type More,
  refusedToken,
  spotOf,
  throttledProblem,
  whoSignedIn,
} from './mail-refusal.ts';
import { PopRefusal, popSession } from './pop-session.ts';
import { type MailTest, messages, protocolTest } from './protocol-test.ts';
import type { MailResult } from './result.ts';

/** The live POP3 test, all on one connection. No message is read. */
export function testPop(test: MailTest): Promise<MailResult> {
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

/** What the failure of a POP3 conversation means. Only the token's stages come here; the session takes the token out of the replies. */
function explainPop(cause: unknown, at: MailAttempt): unknown {
  if (cause instanceof PopRefusal) return popProblem(cause.reply, at);
  return lostDuringAuth(cause, at) ?? cause;
}

/**
 * What an `-ERR` of a POP3 server means. `reply` is its words after `-ERR`, stripped and without the token.
 * The sentence decides first, then the extended code (RFC 2449 section 8, RFC 3206), then what the token shows.
 */
function popProblem(reply: string, at: MailAttempt): MailauthError {
  const spot = spotOf(at);
  const more: More = reply === '' ? {} : { detail: { reply } };
  const code = /^\[([A-Z][A-Z/-]*)\]/i.exec(reply)?.[1]?.toUpperCase();
  const throttled = throttledProblem(reply, spot, more);
  if (throttled !== undefined) return throttled;
  if (recognised(reply, ['mail-session-expired']) !== undefined) return problem('mail-session-expired', spot, more);
  if (code === 'LOGIN-DELAY') return problem('throttled', spot, more);
  if (code === 'SYS/TEMP' || code === 'IN-USE') return problem('mail-server-busy', spot, more);
  const disabled = /\bPOP3?\b.*\b(?:disabled|not enabled)|\b(?:disabled|not enabled)\b.*\bPOP3?\b/i;
  const unconnected = recognised(`-ERR ${reply}`, ['pop-disabled', 'imap-not-connected']) !== undefined;
  if (unconnected && at.token?.appOnly === true) return appRefused(at, more);
  if (unconnected || disabled.test(reply) || code === 'SYS/PERM')
    return problem('pop-disabled', { ...spot, tokenUser: whoSignedIn(at) }, more);
  if (at.phase === 'mailbox') return problem('mailbox-unavailable', spot, more);
  if (at.phase === 'auth') return refusedToken(at, more, (blanks) => problem('pop-authenticate-failed', blanks, more));
  return problem('pop-protocol', { host: at.host, port: at.port, what: 'it refuses QUIT' }, more);
}

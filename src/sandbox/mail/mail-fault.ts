import { defined } from '../../core/defined.ts';
import { imapFaults, type MailFault, popFaults } from '../faults/faults-mail.ts';
import { smtpFaults } from '../faults/faults-smtp.ts';
import type { LineReply, LineSession } from './line-server.ts';

const lists = { imap: imapFaults, pop: popFaults, smtp: smtpFaults } as const;

/**
 * A session that answers as the fault says at one place, and as the real server everywhere else. A fault of another server changes nothing.
 */
export function withFault(protocol: keyof typeof lists, name: string | undefined, session: LineSession): LineSession {
  const fault: MailFault | undefined = lists[protocol].find((one) => one.name === name);
  if (fault === undefined) return session;
  const { at, says, hangUp, startTls } = fault;
  let awaitsToken = false;
  let tag = '';

  /** The token is sent in the same line as AUTHENTICATE or AUTH, or alone after the server's `+` or `334`. */
  const isToken = (line: string): boolean => awaitsToken || /^\S+ AUTHENTICATE XOAUTH2 \S|^AUTH XOAUTH2 \S/i.test(line);

  const answer = (line: string): LineReply => {
    if (!awaitsToken) tag = line.split(' ')[0] ?? '';
    const here = at === 'token' ? isToken(line) : at !== 'greeting' && !awaitsToken && at.test(line);
    if (!here) {
      const reply = session.answer(line);
      awaitsToken = /^(?:\+|334) ?$/.test(reply.lines.at(-1) ?? '');
      return reply;
    }
    awaitsToken = false;
    const lines = says.map((one) => one.replace(/^TAG/, tag));
    return { lines, ...defined({ hangUp, startTls }) };
  };
  if (at !== 'greeting') return { greeting: session.greeting, answer };
  // A server of another protocol does not know our commands either, so it hangs up.
  const last: LineReply = { lines: [], hangUp: true };
  return { greeting: says.join('\r\n'), answer: () => last, ...defined({ hangUp }) };
}

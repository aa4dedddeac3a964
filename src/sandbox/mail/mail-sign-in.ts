import { Buffer } from 'node:buffer';
import { defined } from '../../core/defined.ts';
import { imapFaults, type MailFault, popFaults } from '../faults/faults-mail.ts';
import { smtpFaults } from '../faults/faults-smtp.ts';
import { strangePrincipal } from '../faults/faults-token.ts';
import type { Service } from '../server/service.ts';
import { aliasOf, findUser, homeTenantOf, mayOpen } from '../tenant/directory.ts';
import type { AccessClaims } from '../tenant/tokens.ts';
import type { LineReply, LineSession } from './line-server.ts';

type MailScope = 'IMAP.AccessAsUser.All' | 'POP.AccessAsUser.All' | 'SMTP.Send';

/**
 * The mailbox that an XOAUTH2 response opens, or undefined: `user=` NAME ^A `auth=Bearer ` TOKEN ^A ^A
 * (learn.microsoft.com, how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
 */
export function judgeXoauth2(service: Service, response: string, scope: MailScope): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format separates its fields by U+0001
  const read = /^user=([^\u0001]+)\u0001auth=Bearer ([^\u0001 ]+)\u0001\u0001$/i.exec(Buffer.from(response, 'base64').toString('utf8'));
  const [, mailbox, token] = read ?? [];
  if (mailbox === undefined || token === undefined) return undefined;
  const claims = service.mint.check(token);
  if (claims === undefined || claims.tid !== homeTenantOf(mailbox)) return undefined;
  const ourAudience = claims.aud === 'https://outlook.office.com' || claims.aud === 'https://outlook.office365.com';
  if (claims.idtyp === 'app') return ourAudience && appMay(service, claims, scope, mailbox) ? mailbox : undefined;
  if (claims.upn === undefined) return undefined;
  const allowed = claims.scp?.split(' ').includes(scope) === true;
  // SMTP compares the user name with that of the token and so refuses an alias. IMAP and POP find the mailbox of the alias.
  const exists = ['user', 'disabled'].includes(findUser(mailbox).kind) || (scope !== 'SMTP.Send' && aliasOf(mailbox) !== undefined);
  return ourAudience && allowed && exists && mayOpen(claims.upn, mailbox) ? mailbox : undefined;
}

const roleOf: Readonly<Record<MailScope, string>> = {
  'IMAP.AccessAsUser.All': 'IMAP.AccessAsApp',
  'POP.AccessAsUser.All': 'POP.AccessAsApp',
  'SMTP.Send': 'SMTP.SendAsApp',
};

/** An app with the role opens every mailbox, as if an Exchange administrator had granted it. Under a fault no administrator has. */
function appMay({ fault }: Service, { oid, roles }: AccessClaims, scope: MailScope, mailbox: string): boolean {
  if (fault === 'app-not-granted' || oid === strangePrincipal || roles?.includes(roleOf[scope]) !== true) return false;
  return ['user', 'disabled'].includes(findUser(mailbox).kind);
}

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

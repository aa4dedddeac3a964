import { Buffer } from 'node:buffer';
import { defined } from '../../core/defined.ts';
import type { FaultName } from '../faults/faults.ts';
import { imapFaults, type MailFault, popFaults } from '../faults/faults-mail.ts';
import { submissionFaults } from '../faults/faults-send.ts';
import { smtpFaults } from '../faults/faults-smtp.ts';
import { strangePrincipal } from '../faults/faults-token.ts';
import type { Service } from '../server/service.ts';
import { aliasOf, findUser, homeTenantOf } from '../tenant/directory.ts';
import { holdersOf, isSwitchFault, mayUse, switchFault } from '../tenant/exchange.ts';
import type { State } from '../tenant/state-schema.ts';
import type { AccessClaims } from '../tenant/tokens.ts';
import type { LineReply, LineSession } from './line-server.ts';

type MailScope = 'IMAP.AccessAsUser.All' | 'POP.AccessAsUser.All' | 'SMTP.Send';

// biome-ignore lint/suspicious/noControlCharactersInRegex: the format separates its fields by U+0001
const xoauth2 = /^user=([^\u0001]+)\u0001auth=Bearer ([^\u0001 ]+)\u0001\u0001$/i;

/**
 * The mailbox that an XOAUTH2 response opens, or undefined: `user=` NAME ^A `auth=Bearer ` TOKEN ^A ^A
 * (learn.microsoft.com, how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth).
 */
export function judgeXoauth2(service: Service, state: State, response: string, scope: MailScope): string | undefined {
  const [, mailbox, token] = xoauth2.exec(Buffer.from(response, 'base64').toString('utf8')) ?? [];
  if (mailbox === undefined || token === undefined) return undefined;
  const claims = service.mint.check(token);
  if (claims === undefined || claims.tid !== homeTenantOf(mailbox)) return undefined;
  const ourAudience = claims.aud === 'https://outlook.office.com' || claims.aud === 'https://outlook.office365.com';
  if (claims.idtyp === 'app') return ourAudience && appMay(service, state, { claims, scope, mailbox }) ? mailbox : undefined;
  if (claims.upn === undefined) return undefined;
  const allowed = claims.scp?.split(' ').includes(scope) === true;
  // SMTP compares the user name with that of the token and so refuses an alias. IMAP and POP find the mailbox of the alias.
  const exists = ['user', 'disabled'].includes(findUser(mailbox).kind) || (scope !== 'SMTP.Send' && aliasOf(mailbox) !== undefined);
  return ourAudience && allowed && exists && mayUse(state, service.fault, claims.upn, mailbox, 'FullAccess') ? mailbox : undefined;
}

const roleOf: Readonly<Record<MailScope, string>> = {
  'IMAP.AccessAsUser.All': 'IMAP.AccessAsApp',
  'POP.AccessAsUser.All': 'POP.AccessAsApp',
  'SMTP.Send': 'SMTP.SendAsApp',
};

interface AppUse {
  readonly claims: AccessClaims;
  readonly scope: MailScope;
  readonly mailbox: string;
}

/**
 * An app with the role opens every mailbox, as if an Exchange administrator had granted it. Under a fault none has, until the app is given
 * the right on that mailbox.
 */
function appMay({ fault }: Service, state: State, { claims: { oid = '', appid, roles }, scope, mailbox }: AppUse): boolean {
  if (oid === strangePrincipal || !['user', 'disabled'].includes(findUser(mailbox).kind)) return false;
  const hasPermission = roles?.includes(roleOf[scope]) === true;
  // RBAC for Applications stands in for the permission, for sending alone.
  const hasRole = scope === 'SMTP.Send' && state.exchange.roles.some((one) => one.appId === appid);
  if (!hasPermission) return hasRole;
  return holdersOf(state, fault, mailbox, scope === 'SMTP.Send' ? 'SendAs' : 'FullAccess').includes(oid);
}

const lists = { imap: imapFaults, pop: popFaults, smtp: [...smtpFaults, ...submissionFaults] } as const;

/**
 * A session that answers as the fault says at one place, and as the real server everywhere else. A fault of another server changes nothing.
 */
export function withFault(
  protocol: keyof typeof lists,
  { fault: name, state }: { readonly fault: FaultName | undefined; readonly state: State },
  session: LineSession,
): LineSession {
  const named = (wanted: string | undefined): MailFault | undefined => lists[protocol].find((one) => one.name === wanted);
  // A protocol that is switched off for the mailbox answers like its fault, once it is known which mailbox is meant.
  let fault = isSwitchFault(name) ? undefined : named(name);
  const isSwitch = fault === undefined;
  let awaitsToken = false;
  let tag = '';

  /** The token is sent in the same line as AUTHENTICATE or AUTH, or alone after the server's `+` or `334`. */
  const isToken = (line: string): boolean => awaitsToken || /^\S+ AUTHENTICATE XOAUTH2 \S|^AUTH XOAUTH2 \S/i.test(line);

  const inMessage = (): boolean => session.takesMessage?.() === true;
  const isEndOfMessage = (line: string): boolean => inMessage() && line === '.';
  const isCommand = (at: MailFault['at'], line: string): boolean => at instanceof RegExp && !awaitsToken && !inMessage() && at.test(line);

  const answer = (line: string): LineReply => {
    if (isSwitch && isToken(line)) fault = named(switchFault(state, name, protocol, mailboxIn(line)));
    const { at, says, hangUp, startTls } = fault ?? { at: /^(?!)/, says: [] };
    if (!awaitsToken) tag = line.split(' ')[0] ?? '';
    const here = at === 'message' ? isEndOfMessage(line) : at === 'token' ? isToken(line) : isCommand(at, line);
    if (!here) {
      const reply = session.answer(line);
      awaitsToken = /^(?:\+|334) ?$/.test(reply.lines.at(-1) ?? '');
      return reply;
    }
    awaitsToken = false;
    const lines = says.map((one) => one.replace(/^TAG/, tag));
    return { lines, ...defined({ hangUp, startTls }) };
  };
  if (fault?.at !== 'greeting') return { ...session, answer };
  const { says, hangUp } = fault;
  // A server of another protocol does not know our commands either, so it hangs up.
  const last: LineReply = { lines: [], hangUp: true };
  return { greeting: says.join('\r\n'), answer: () => last, ...defined({ hangUp }) };
}

/** The mailbox that the token in this line is sent for. */
function mailboxIn(line: string): string {
  const [, mailbox = ''] = xoauth2.exec(Buffer.from(line.split(' ').at(-1) ?? '', 'base64').toString('utf8')) ?? [];
  return mailbox;
}

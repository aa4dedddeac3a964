import { Buffer } from 'node:buffer';
import { strangePrincipal } from '../faults/faults-token.ts';
import type { Service } from '../server/service.ts';
import { aliasOf, findUser, mayOpen, tenant } from '../tenant/directory.ts';
import type { AccessClaims } from '../tenant/tokens.ts';

export type MailScope = 'IMAP.AccessAsUser.All' | 'POP.AccessAsUser.All' | 'SMTP.Send';

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
  if (claims === undefined || claims.tid !== tenant.id) return undefined;
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

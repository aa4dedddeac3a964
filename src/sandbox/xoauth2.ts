import { Buffer } from 'node:buffer';
import { findUser, mayOpen } from './directory.ts';
import type { Service } from './service.ts';

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
  if (claims === undefined || claims.upn === undefined) return undefined;
  const ourAudience = claims.aud === 'https://outlook.office.com' || claims.aud === 'https://outlook.office365.com';
  const allowed = claims.scp?.split(' ').includes(scope) === true;
  const exists = ['user', 'disabled'].includes(findUser(mailbox).kind);
  return ourAudience && allowed && exists && mayOpen(claims.upn, mailbox) ? mailbox : undefined;
}

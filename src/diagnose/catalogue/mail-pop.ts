import { Exit } from '../../core/exit.ts';
import { entry } from '../entry.ts';
import { again, fullAccess, type MailSpot, ps, serverEntries, show, signIn } from './mail-words.ts';

const enablePop = (v: MailSpot): string => `Set-CASMailbox -Identity ${ps(v.user)} -PopEnabled $true`;
const server = serverEntries('POP3', 'SASL XOAUTH2');

/** Replies of Exchange's POP3 service: Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth"; codes of RFC 3206. */
export const popEntries = {
  'pop-authenticate-failed': entry<MailSpot & { tokenLooksRight: boolean }>({
    exit: Exit.needsSignIn,
    title: (v) => `${v.host} refuses the sign-in of ${v.user} for POP`,
    why: (v) =>
      v.tokenLooksRight
        ? 'the token looks right (audience, scope, user, lifetime), so look at the mailbox itself'
        : 'the server gives no reason: a wrong or revoked token, or one for another user',
    next: (v) => [signIn(v), show(v)],
    admin: (v) => `Get-CASMailbox -Identity ${ps(v.user)} | fl PopEnabled; ${enablePop(v)}`,
  }),
  'pop-disabled': entry<MailSpot & { tokenUser?: string | undefined }>({
    exit: Exit.notAllowed,
    title: (v) => `the token is good, but POP does not open the mailbox ${v.user}`,
    why: () => 'POP is switched off for the mailbox, it has no licence, or the user has no rights on it',
    next: (v) => [again(v)],
    admin: (v) =>
      v.tokenUser === undefined || v.tokenUser.toLowerCase() === v.user.toLowerCase()
        ? enablePop(v)
        : `${enablePop(v)}; ${fullAccess(v, v.tokenUser)}`,
  }),
  'pop-no-xoauth2': server.noXoauth2,
  'pop-greeting-refused': server.greetingRefused,
  'pop-protocol': server.unreadable,
};

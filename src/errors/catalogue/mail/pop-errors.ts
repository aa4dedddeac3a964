import { Exit } from '../../../core/errors.ts';
import { noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import {
  exchangeApply,
  fullAccess,
  giveItAToken,
  type MailSpot,
  powerShell,
  protocolSwitch,
  ps,
  type RefusedBlanks,
  serverEntries,
  show,
  signIn,
  testAgain,
  whyRefused,
} from './mail-words.ts';

const enablePop = (v: MailSpot): string => protocolSwitch(v, v.user);
const server = serverEntries('POP3', 'SASL XOAUTH2');

/** Replies of Exchange's POP3 service: Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth"; codes of RFC 3206. */
export const popEntries = {
  'pop-authenticate-failed': entry<RefusedBlanks>({
    exit: Exit.needsSignIn,
    source: sources.mail,
    says: ['Authentication failure: unknown user name or bad password'],
    // RFC 3206 section 4: the credentials are at fault.
    hints: ['-ERR [AUTH]', '-ERR [AUTH] Authentication failed'],
    title: (v) => `${v.host} refuses the sign-in of ${v.user} for POP`,
    why: whyRefused,
    next: (v) => [signIn(v), show(v)],
    admin: (v) => powerShell(`Get-CASMailbox -Identity ${ps(v.user)} | fl PopEnabled`, enablePop(v)),
  }),
  'pop-basic-auth-disabled': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.mail,
    mender: 'you',
    says: ['Logon failure: unknown user name or bad password', 'Command is not valid in this state … PASS', 'USER … PASS … Logon failure'],
    title: (v) => `The program signs in with a password, and ${v.host} takes no passwords any more`,
    why: () => 'that is the answer to USER and PASS: Microsoft switched basic authentication off; OAuth 2 (XOAUTH2) with a token works',
    next: giveItAToken,
  }),
  'pop-two-lines': entry<MailSpot>({
    exit: Exit.failed,
    source: sources.mail,
    says: ['Protocol error. Connection is closed', 'Protocol error. Connection is closed. 10'],
    hints: ['Protocol error. 14', 'Protocol error. 10'],
    title: (v) => `${v.host} could not read how the program signs in for POP`,
    why: () => 'Exchange wants AUTH XOAUTH2 in one line and the token in the next; many programs send both in one line',
    next: (v) => [
      noted(testAgain(v), 'sends it in two lines'),
      'In Java: mail.pop3s.auth.xoauth2.two.line.authentication.format=true. In other programs: a newer version, or IMAP.',
    ],
    retryHelps: false,
  }),
  'pop-disabled': entry<MailSpot & { tokenUser?: string | undefined }>({
    exit: Exit.notAllowed,
    source: sources.mail,
    says: ['-ERR User is authenticated but not connected'],
    title: (v) => `The token is good, but POP does not open the mailbox ${v.user}`,
    why: () => 'POP is switched off for the mailbox, it has no licence, or the user has no rights on it',
    next: (v) => [exchangeApply(v), testAgain(v)],
    admin: (v) =>
      v.tokenUser === undefined || v.tokenUser.toLowerCase() === v.user.toLowerCase()
        ? powerShell(enablePop(v))
        : powerShell(enablePop(v), fullAccess(v, v.tokenUser)),
  }),
  'pop-no-xoauth2': server.noXoauth2,
  'pop-greeting-refused': server.greetingRefused,
  'pop-protocol': server.unreadable,
};

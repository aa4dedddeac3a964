import { Exit } from '../../../core/errors.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import {
  fullAccess,
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
    title: (v) => `${v.host} refuses the sign-in of ${v.user} for POP`,
    why: whyRefused,
    next: (v) => [signIn(v), show(v)],
    admin: (v) => powerShell(`Get-CASMailbox -Identity ${ps(v.user)} | fl PopEnabled`, enablePop(v)),
  }),
  'pop-disabled': entry<MailSpot & { tokenUser?: string | undefined }>({
    exit: Exit.notAllowed,
    source: sources.mail,
    says: ['-ERR User is authenticated but not connected'],
    title: (v) => `The token is good, but POP does not open the mailbox ${v.user}`,
    why: () => 'POP is switched off for the mailbox, it has no licence, or the user has no rights on it',
    next: (v) => [testAgain(v)],
    admin: (v) =>
      v.tokenUser === undefined || v.tokenUser.toLowerCase() === v.user.toLowerCase()
        ? powerShell(enablePop(v))
        : powerShell(enablePop(v), fullAccess(v, v.tokenUser)),
  }),
  'pop-no-xoauth2': server.noXoauth2,
  'pop-greeting-refused': server.greetingRefused,
  'pop-protocol': server.unreadable,
};

import { Exit } from '../../../core/errors.ts';
import { mailauth, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type AppSpot, appLines, sendingOnly } from './app-lines.ts';
import { exchangeApply, fullAccess, type MailSpot, powerShell, protocolSwitch, sendAs, show, signIn, testAgain } from './mail-words.ts';

const rightsOf = (v: MailSpot, who: string): string => (v.protocol === 'smtp' ? sendAs(v, who) : fullAccess(v, who));

/** What the token itself shows: for whom it is, and for what. */
export const mailTokenEntries = {
  'mail-token-audience': entry<MailSpot & { audience: string }>({
    exit: Exit.needsSignIn,
    source: sources.mail,
    title: (v) => `The token is for ${v.audience}, not for the mail servers`,
    why: () => 'IMAP, POP and SMTP need a token of the outlook.office.com scopes; a Graph token is refused',
    next: (v) => [signIn(v), show(v)],
  }),
  'mail-token-scope': entry<MailSpot & { scope: string; appOnly?: boolean; clientId?: string | undefined }>({
    exit: Exit.needsSignIn,
    source: sources.mail,
    title: (v) => `The token does not contain ${v.scope}`,
    why: () => 'the permission is missing on the registration, or was not consented to',
    next: (v) => [signIn(v), show(v)],
    admin: (v) =>
      `add the ${v.appOnly ? 'application' : 'delegated'} permission ${v.scope} to the app registration and grant admin consent${
        v.appOnly && v.protocol === 'smtp' && v.clientId !== undefined
          ? `; or give it only this mailbox: ${sendingOnly({ clientId: v.clientId, mailbox: v.user }).join('; ')}`
          : ''
      }`,
  }),
  'mail-token-tenant': entry<MailSpot & { tenant: string; wanted: string }>({
    exit: Exit.needsSignIn,
    source: sources.mail,
    title: (v) => `The token is of the tenant ${v.tenant}, the mailbox is in ${v.wanted}`,
    why: () => 'a guest, or an account of the same name elsewhere, signed in: its own tenant gave the token',
    next: (v) => [signIn(v), show(v)],
  }),
  'mail-app-only': entry<AppSpot>({
    exit: Exit.notAllowed,
    source: sources.mail,
    title: (v) => `Exchange does not let the application into the mailbox ${v.user}`,
    why: () => 'the token is app-only: Exchange must know the app by its Enterprise application, and give it rights',
    next: (v) => [exchangeApply(v), testAgain(v), "It takes minutes, seldom hours, until Exchange acts on the administrator's lines."],
    admin: (v) => powerShell(...appLines(v)),
  }),
  'mail-token-expired': entry<MailSpot & { expiredAt: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => `The token of ${v.mailbox} expired at ${v.expiredAt}`,
    next: (v) => [signIn(v), mailauth('token get', v.mailbox, { forceRefresh: true })],
  }),
  'mail-token-user': entry<MailSpot & { tokenUser: string; opensOwn?: boolean }>({
    exit: Exit.needsSignIn,
    source: sources.mail,
    title: (v) => `The token belongs to ${v.tokenUser}, the mailbox is ${v.user}`,
    why: (v) =>
      v.opensOwn
        ? `${v.tokenUser} can open the mailbox of that name, so the token is good, but for another mailbox`
        : `either somebody else signed in, or ${v.tokenUser} has no rights on this mailbox`,
    next: (v) => [signIn(v), show(v)],
    admin: (v) => powerShell(rightsOf(v, v.tokenUser)),
  }),
  'mail-no-full-access': entry<MailSpot & { tokenUser: string; opensOwn?: boolean }>({
    exit: Exit.notAllowed,
    source: sources.mail,
    title: (v) => `${v.tokenUser} is not allowed to open the mailbox ${v.user}`,
    why: (v) =>
      v.opensOwn
        ? `the token is good for ${v.tokenUser}: for a shared or resource mailbox FullAccess is missing; an alias has no mailbox`
        : 'whoever signs in for a shared or resource mailbox needs FullAccess to it',
    next: (v) => [
      exchangeApply(v),
      testAgain(v),
      ...(v.opensOwn ? [noted(mailauth('setup', { mailbox: v.tokenUser }), 'if it is an alias')] : []),
    ],
    admin: (v) => powerShell(rightsOf(v, v.tokenUser), protocolSwitch(v, v.user)),
  }),
};

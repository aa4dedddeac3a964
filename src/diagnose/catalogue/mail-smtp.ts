import { Exit } from '../../core/exit.ts';
import { entry } from '../entry.ts';
import { afterPause, again, environmentHelp, type MailSpot, ps, sendAs, serverEntries, show, signIn } from './mail-words.ts';

const enableSmtp = (v: MailSpot): string => `Set-CASMailbox -Identity ${ps(v.user)} -SmtpClientAuthenticationDisabled $false`;
const isOwn = (v: MailSpot & { tokenUser?: string | undefined }): boolean =>
  v.tokenUser === undefined || v.tokenUser.toLowerCase() === v.user.toLowerCase();
const server = serverEntries('SMTP', 'AUTH XOAUTH2');

/** Replies of Exchange to SMTP submission: Microsoft, "Authenticate … SMTP connection using OAuth" and "Fix issues with … SMTP AUTH client submission". */
export const smtpEntries = {
  'smtp-authenticate-failed': entry<MailSpot & { tokenLooksRight: boolean }>({
    exit: Exit.needsSignIn,
    title: (v) => `${v.host} refuses the sign-in of ${v.user} for sending`,
    why: (v) =>
      v.tokenLooksRight
        ? 'the token looks right (audience, scope, user, lifetime), so look at the mailbox itself'
        : 'the server gives no reason: a wrong or revoked token, or one for another user',
    next: (v) => [signIn(v), show(v)],
    admin: (v) => `Get-CASMailbox -Identity ${ps(v.user)} | fl SmtpClientAuthenticationDisabled; ${enableSmtp(v)}`,
  }),
  'smtp-auth-disabled': entry<MailSpot & { where: 'tenant' | 'mailbox' }>({
    exit: Exit.notAllowed,
    title: (v) => `sending by SMTP AUTH is switched off for ${v.where === 'tenant' ? 'the tenant' : `the mailbox ${v.user}`}`,
    why: (v) =>
      v.where === 'tenant'
        ? 'the mailbox follows the organisation; its own switch wins over that, after up to an hour'
        : "the mailbox's own switch says no; a change takes up to an hour to act",
    next: (v) => [again(v)],
    admin: enableSmtp,
  }),
  'smtp-basic-auth': entry<MailSpot>({
    exit: Exit.notAllowed,
    title: (v) => `${v.host} takes this for a password sign-in, and those are switched off`,
    why: () => 'mailauth sends a token only: a gateway in between changes it, or a policy forbids SMTP AUTH',
    next: () => [environmentHelp],
    admin: (v) => `Get-AuthenticationPolicy | fl Name,AllowBasicAuthSmtp; ${enableSmtp(v)}`,
  }),
  'smtp-send-as-denied': entry<MailSpot & { tokenUser?: string | undefined }>({
    exit: Exit.notAllowed,
    title: (v) => `${isOwn(v) ? 'who signed in' : v.tokenUser} may not send as ${v.user}`,
    why: () => 'any address but the own mailbox, a shared one or an alias, needs the right SendAs',
    next: (v) => [again(v)],
    admin: (v) => sendAs(v, v.tokenUser ?? 'WHO-SIGNED-IN'),
  }),
  'smtp-throttled': entry<MailSpot & { waitMs?: number | undefined }>({
    exit: Exit.temporary,
    title: (v) => `${v.host} asks ${v.user} to send less at a time`,
    why: () => 'limits are few connections at once, 30 messages a minute, 10,000 recipients a day',
    next: (v) => [afterPause(v, v.waitMs)],
    retryHelps: true,
  }),
  'smtp-not-accepted': entry<MailSpot & { reason?: string | undefined }>({
    exit: Exit.notAllowed,
    title: (v) => `${v.host} accepts no mail from ${v.user}`,
    why: (v) => v.reason ?? 'the reason is in its reply',
    next: (v) => [again(v)],
    admin: (v) => `${ps(v.user)} cannot send: see the reply, and Get-CASMailbox -Identity ${ps(v.user)}`,
  }),
  'smtp-recipient-refused': entry<MailSpot & { recipient: string }>({
    exit: Exit.failed,
    title: (v) => `${v.host} accepts mail from ${v.user}, but not to ${v.recipient}`,
    why: () => 'the address is wrong, or may not be written to from here',
    next: (v) => [`${again(v)} --send-to ADDRESS`],
    retryHelps: false,
  }),
  'smtp-no-xoauth2': server.noXoauth2,
  'smtp-greeting-refused': server.greetingRefused,
  'smtp-protocol': server.unreadable,
};

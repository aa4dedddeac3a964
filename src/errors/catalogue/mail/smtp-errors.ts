import { Exit } from '../../../core/errors.ts';
import { led, noted, plus } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import {
  afterPause,
  doctor,
  type MailSpot,
  powerShell,
  protocolSwitch,
  ps,
  type RefusedBlanks,
  sendAs,
  serverEntries,
  show,
  signIn,
  testAgain,
  whyRefused,
} from './mail-words.ts';

const enableSmtp = (v: MailSpot): string => protocolSwitch(v, v.user);
const isOwn = (v: MailSpot & { tokenUser?: string | undefined }): boolean =>
  v.tokenUser === undefined || v.tokenUser.toLowerCase() === v.mailbox.toLowerCase();
const server = serverEntries('SMTP', 'AUTH XOAUTH2');

/** Replies of Exchange to SMTP submission: Microsoft, "Authenticate … SMTP connection using OAuth" and "Fix issues with … SMTP AUTH client submission". */
export const smtpEntries = {
  'smtp-authenticate-failed': entry<RefusedBlanks>({
    exit: Exit.needsSignIn,
    source: sources.mail,
    says: ['535 5.7.3 Authentication unsuccessful'],
    hints: [
      'Authentication unsuccessful',
      '5.7.57',
      'Client not authenticated to send mail',
      'Client was not authenticated to send anonymous mail',
    ],
    title: (v) => `${v.host} refuses the sign-in of ${v.user} for sending`,
    why: whyRefused,
    next: (v) => [signIn(v), show(v)],
    admin: (v) => powerShell(`Get-CASMailbox -Identity ${ps(v.user)} | fl SmtpClientAuthenticationDisabled`, enableSmtp(v)),
  }),
  'smtp-auth-disabled': entry<MailSpot & { where: 'tenant' | 'mailbox' }>({
    exit: Exit.notAllowed,
    source: sources.smtpSwitch,
    says: [
      { words: 'SmtpClientAuthentication is disabled for the Tenant', means: { where: 'tenant' } },
      { words: 'SmtpClientAuthentication is disabled for the Mailbox', means: { where: 'mailbox' } },
      // A log cut the sentence short. The organisation's switch is the usual cause, and the mailbox's own switch helps in both cases.
      { words: 'SmtpClientAuthentication is disabled', means: { where: 'tenant' } },
    ],
    title: (v) => `Sending by SMTP AUTH is switched off for ${v.where === 'tenant' ? 'the tenant' : `the mailbox ${v.user}`}`,
    why: (v) =>
      v.where === 'tenant'
        ? 'it can be switched on for this mailbox alone; that takes up to an hour'
        : "the mailbox's own switch says no; a change takes up to an hour to act",
    next: (v) => [testAgain(v)],
    admin: (v) => powerShell(enableSmtp(v)),
  }),
  'smtp-basic-auth': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.smtpFaults,
    codes: ['5.7.30'],
    says: [
      'Authentication unsuccessful, basic authentication is disabled',
      'Basic authentication is not supported for Client Submission',
      "user is locked by your organization's security defaults policy",
    ],
    title: (v) => `${v.host} takes this for a password sign-in, and those are switched off`,
    why: () => 'mailauth sends a token only: a gateway in between changes it, or a policy forbids SMTP AUTH',
    next: () => [doctor],
    admin: (v) => powerShell('Get-AuthenticationPolicy | fl Name,AllowBasicAuthSmtp', enableSmtp(v)),
  }),
  'smtp-send-as-denied': entry<MailSpot & { tokenUser?: string | undefined }>({
    exit: Exit.notAllowed,
    source: sources.smtpFaults,
    codes: ['5.7.60', '5.2.252', 'SendAsDenied', 'SendAsDeniedException'],
    says: ['Client does not have permissions to send as this sender', 'not allowed to send as'],
    title: (v) => `${isOwn(v) ? 'Whoever signed in' : v.tokenUser} is not allowed to send as ${v.mailbox}`,
    why: () => 'sending as a shared mailbox, an alias or another address needs the right SendAs',
    next: (v) => [testAgain(v)],
    admin: (v) => {
      const right = sendAs({ ...v, user: v.mailbox }, v.tokenUser ?? 'WHO-SIGNED-IN');
      // The sign-in under another name worked, so the switch of that mailbox is on.
      return powerShell(right, ...(v.user === v.mailbox ? [enableSmtp(v)] : []));
    },
  }),
  'smtp-user-name': entry<MailSpot>({
    exit: Exit.failed,
    source: sources.smtpFaults,
    title: (v) => `SMTP needs ${v.user}, who signed in, as the user name, not ${v.mailbox}`,
    why: (v) => `${v.mailbox} is an alias or a shared mailbox; it stays the sender, and mailauth remembers the name`,
    next: (v) => [testAgain(v), `Enter ${v.user} as the user name for sending in the mail program.`],
  }),
  'smtp-throttled': entry<MailSpot & { waitMs?: number | undefined }>({
    exit: Exit.temporary,
    source: sources.smtpFaults,
    codes: ['4.7.5*', '4.7.6*'],
    says: [
      'Concurrent connections limit exceeded',
      'aka.ms/concurrent_sending',
      'recipient thread limit exceeded',
      "sender's submission quota was exceeded",
    ],
    title: (v) => `${v.host} asks ${v.user} to send more slowly`,
    why: () => 'the limits are a few connections at once, 30 messages a minute and 10,000 recipients a day',
    next: (v) => [afterPause(v, v.waitMs)],
    retryHelps: true,
  }),
  'smtp-not-accepted': entry<MailSpot & { reason?: string | undefined }>({
    exit: Exit.notAllowed,
    source: sources.smtp,
    title: (v) => `${v.host} accepts no mail from ${v.user}`,
    why: (v) => v.reason ?? 'the reason is in its reply',
    next: (v) => [testAgain(v)],
    admin: (v) => led(`${v.user} cannot send; see the reply, and`, powerShell(`Get-CASMailbox -Identity ${ps(v.user)}`)),
  }),
  'smtp-recipient-refused': entry<MailSpot & { recipient: string }>({
    exit: Exit.failed,
    source: sources.smtp,
    title: (v) => `${v.host} accepts mail from ${v.user}, but not to ${v.recipient}`,
    why: () => 'the address is wrong, or this mailbox is not allowed to write to it',
    next: (v) => [noted(plus(testAgain(v), { sendTo: v.mailbox }), 'sends to the mailbox itself')],
    retryHelps: false,
  }),
  'smtp-no-xoauth2': server.noXoauth2,
  'smtp-greeting-refused': server.greetingRefused,
  'smtp-protocol': server.unreadable,
};

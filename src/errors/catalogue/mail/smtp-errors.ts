import { Exit } from '../../../core/errors.ts';
import { led, mailauth, noted, plus } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import {
  afterPause,
  doctor,
  exchangeApply,
  giveItAToken,
  type MailServer,
  type MailSpot,
  powerShell,
  protocolSwitch,
  ps,
  type RefusedBlanks,
  type Sent,
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
    // The second is what Postfix and Cyrus SASL say.
    says: ['535 5.7.3 Authentication unsuccessful', '535 5.7.8 Error: authentication failed'],
    hints: ['Authentication unsuccessful', '5.7.3'],
    title: (v) => `${v.host} refuses the sign-in of ${v.user} for sending`,
    why: whyRefused,
    next: (v) => [signIn(v), show(v)],
    admin: (v) => powerShell(`Get-CASMailbox -Identity ${ps(v.user)} | fl SmtpClientAuthenticationDisabled`, enableSmtp(v)),
  }),
  'smtp-credentials-wrong': entry<RefusedBlanks & { sent?: 'token' | 'password' }>({
    exit: Exit.needsSignIn,
    source: sources.smtpFaults,
    hints: ['Authentication unsuccessful, the user credentials were incorrect', 'the user credentials were incorrect'],
    title: (v) =>
      v.sent === 'password'
        ? `${v.host} says that the user name or the password of the program is wrong`
        : `${v.host} says that the sign-in of ${v.user} for sending is not correct`,
    why: (v) =>
      v.sent === 'password'
        ? 'the password has changed, or Microsoft takes none any more; OAuth 2 (XOAUTH2) with a token works'
        : v.tokenLooksRight || v.opaque === true || v.alsoRefused !== undefined
          ? whyRefused(v)
          : 'a token that is wrong or revoked, or one of another user than the user name',
    next: (v) => (v.sent === 'password' ? giveItAToken(v) : [signIn(v), show(v)]),
    admin: (v) =>
      v.sent === 'password'
        ? undefined
        : powerShell(`Get-CASMailbox -Identity ${ps(v.user)} | fl SmtpClientAuthenticationDisabled`, enableSmtp(v)),
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
    next: (v) => [exchangeApply(v), testAgain(v)],
    admin: (v) => powerShell(enableSmtp(v)),
  }),
  'smtp-not-signed-in': entry<MailSpot>({
    exit: Exit.needsSignIn,
    source: sources.smtpFaults,
    hints: [
      '5.7.57',
      'Client not authenticated to send mail',
      'Client was not authenticated to send anonymous mail',
      'Client was not authenticated',
      'authentication required … send mail',
    ],
    title: (v) => `The program did not sign in at ${v.host} before it sent mail`,
    why: () => 'it left STARTTLS or AUTH out, has no user name for this server, or went on after a sign-in that was refused',
    next: (v) => [
      noted(testAgain(v), 'shows whether sending works with a token'),
      'In the program: port 587 with STARTTLS, authentication XOAUTH2, and the mailbox as user name. In a relay: an entry for this host in its map.',
      'Look for a refused AUTH in the lines before: that is then the reason.',
    ],
  }),
  'smtp-basic-auth': entry<Sent>({
    exit: Exit.notAllowed,
    source: sources.smtpFaults,
    mender: 'you',
    codes: ['5.7.30'],
    says: [
      'Authentication unsuccessful … basic authentication is disabled',
      'Password command failed … 535',
      'Password command failed',
      'Basic authentication is not supported for Client Submission',
      "locked by your organization's security defaults policy",
      'AUTH LOGIN … Authentication unsuccessful',
      'AUTH PLAIN … Authentication unsuccessful',
      'loginAuth … Authentication unsuccessful',
      'plainAuth … Authentication unsuccessful',
    ],
    title: (v) =>
      v.sent === 'token'
        ? `${v.host} takes this for a password sign-in, and those are switched off`
        : `The program sends a password, and ${v.host} takes no passwords for sending`,
    why: (v) =>
      v.sent === 'token'
        ? 'mailauth sends a token only: a gateway in between changes it, or a policy forbids SMTP AUTH'
        : "basic authentication is off, by Microsoft or by the tenant's security defaults; OAuth 2 (XOAUTH2) with a token still works",
    next: (v) => (v.sent === 'token' ? [doctor] : giveItAToken(v)),
    admin: (v) => (v.sent === 'token' ? powerShell('Get-AuthenticationPolicy | fl Name,AllowBasicAuthSmtp', enableSmtp(v)) : undefined),
  }),
  'smtp-send-as-denied': entry<MailSpot & { tokenUser?: string | undefined; sendsAs?: string | undefined }>({
    exit: Exit.notAllowed,
    source: sources.smtpFaults,
    codes: ['5.7.60', '5.2.252', 'SendAsDenied', 'SendAsDeniedException', 'MapiExceptionSendAsDenied', 'SendOnBehalfOfDenied'],
    says: ['Client does not have permissions to send as this sender', 'not allowed to send as'],
    title: (v) => `${isOwn(v) ? 'Whoever signed in' : v.tokenUser} is not allowed to send as ${v.sendsAs ?? v.mailbox}`,
    why: () => 'sending as a shared mailbox, an alias or another address needs the right SendAs',
    next: (v) => {
      if (v.sendsAs !== undefined) return [`Send it as ${v.mailbox}, in From and with -f; or an administrator gives the right.`];
      return isOwn(v) ? [testAgain(v)] : [exchangeApply(v), testAgain(v)];
    },
    admin: (v) => {
      const right = sendAs({ ...v, user: v.sendsAs ?? v.mailbox }, v.tokenUser ?? 'WHO-SIGNED-IN');
      // The sign-in under another name worked, so the switch of that mailbox is on.
      return powerShell(right, ...(v.user === v.mailbox && v.tokenUser !== undefined ? [enableSmtp(v)] : []));
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
    codes: ['5.1.92', '4.7.5*', '4.7.6*', 'SubmissionQuotaExceeded', 'SubmissionQuotaExceededException', '4.7.3'],
    says: [
      'concurrent server connections has exceeded',
      'exceeded its 24-hour sending limit',
      '24-hour sending limit',
      'Too many recipients',
      'SubmissionQuotaExceededException … MapiExceptionMaxSubmissionExceeded',
      'exceeded … sending limit',
      'daily sending limit',
      'Message submission rate',
      'Concurrent connections limit exceeded',
      'aka.ms/concurrent_sending',
      'recipient thread limit exceeded',
      "sender's submission quota was exceeded",
      'exceeded the recipient rate limit',
      'queue quota exceeded',
      'too many messages … per minute',
      'sending limit … exceeded',
      'sender thread limit exceeded',
      'message rate limit exceeded',
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
    codes: ['5.1.10', 'RecipientNotFound', '5.1.1', '5.1.2'],
    title: (v) => `${v.host} accepts mail from ${v.user}, but not to ${v.recipient}`,
    why: () => 'the address is wrong, or this mailbox is not allowed to write to it',
    next: (v) => [noted(plus(testAgain(v), { sendTo: v.mailbox }), 'sends to the mailbox itself')],
    retryHelps: false,
  }),
  'smtp-no-xoauth2': entry<MailServer & { sent?: 'token' | 'password' }>({
    ...server.noXoauth2,
    title: (v) =>
      v.sent === 'password' ? 'The mail server does not offer the way to sign in that the program chose' : server.noXoauth2.title(v),
    why: (v) =>
      v.sent === 'password'
        ? 'Exchange offers XOAUTH2, and only after STARTTLS; CRAM-MD5, NTLM and other ways are gone'
        : server.noXoauth2.why?.(v),
    next: (v) =>
      v.sent === 'password'
        ? [
            noted(mailauth('test', 'smtp'), 'shows what the server offers'),
            'In the program: port 587, STARTTLS, authentication XOAUTH2 (OAuth 2).',
          ]
        : server.noXoauth2.next(v),
    codes: ['5.7.4'],
    says: ['Unrecognized authentication type', 'Authentication mechanism not supported'],
  }),
  'smtp-auth-not-offered': entry<MailServer>({
    exit: Exit.failed,
    source: sources.smtpSwitch,
    // msmtp, and PHPMailer.
    says: ['the server does not support authentication', 'Authentication is not allowed at this stage'],
    title: () => 'The server offered the program no way to sign in on this connection',
    why: () => 'Exchange offers a sign-in only behind STARTTLS; a relay or a scanner for viruses in between may take the offer away',
    next: () => [
      noted(mailauth('test', 'smtp'), 'shows what the server offers'),
      'In the program: host smtp.office365.com, port 587, STARTTLS (msmtp: tls on, tls_starttls on), authentication XOAUTH2.',
    ],
    retryHelps: false,
  }),
  'smtp-greeting-refused': server.greetingRefused,
  'smtp-protocol': server.unreadable,
};

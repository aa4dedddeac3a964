import { Exit } from '../../core/exit.ts';
import { entry } from '../entry.ts';
import {
  afterPause,
  again,
  environmentHelp,
  fullAccess,
  type MailSpot,
  ps,
  seconds,
  sendAs,
  serverEntries,
  sh,
  show,
  signIn,
} from './mail-words.ts';

const enableImap = (v: MailSpot): string => `Set-CASMailbox -Identity ${ps(v.user)} -ImapEnabled $true`;
const server = serverEntries('IMAP', 'AUTH=XOAUTH2');

/** Replies of Exchange and what they mean: Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth", and field reports. */
export const mailEntries = {
  'imap-authenticate-failed': entry<MailSpot & { tokenLooksRight: boolean }>({
    exit: Exit.needsSignIn,
    title: (v) => `${v.host} refuses the sign-in of ${v.user}`,
    why: (v) =>
      v.tokenLooksRight
        ? 'the token looks right (audience, scope, user, lifetime), so look at the mailbox itself'
        : 'the server gives no reason: a wrong or revoked token, or one for another user',
    next: (v) => [signIn(v), show(v)],
    admin: (v) => `Get-CASMailbox -Identity ${ps(v.user)} | fl ImapEnabled; ${enableImap(v)}`,
  }),
  'mail-token-audience': entry<MailSpot & { audience: string }>({
    exit: Exit.needsSignIn,
    title: (v) => `the token is for ${v.audience}, not for the mail servers`,
    why: () => 'IMAP, POP and SMTP want a token of the outlook.office.com scopes; a Graph token is refused',
    next: (v) => [signIn(v), show(v)],
  }),
  'mail-token-scope': entry<MailSpot & { scope: string }>({
    exit: Exit.needsSignIn,
    title: (v) => `the token does not contain ${v.scope}`,
    why: () => 'the permission is missing on the registration, or was not consented to',
    next: (v) => [signIn(v), show(v)],
    admin: (v) => `add the delegated permission ${v.scope} to the app registration and grant admin consent`,
  }),
  'mail-token-expired': entry<MailSpot & { expiredAt: string }>({
    exit: Exit.needsSignIn,
    title: (v) => `the token of ${v.mailbox} expired at ${v.expiredAt}`,
    next: (v) => [signIn(v), `mailauth token get ${sh(v.mailbox)} --force-refresh`],
  }),
  'mail-token-user': entry<MailSpot & { tokenUser: string }>({
    exit: Exit.needsSignIn,
    title: (v) => `the token belongs to ${v.tokenUser}, the mailbox is ${v.user}`,
    why: (v) => `either somebody else signed in, or ${v.tokenUser} has no rights on this mailbox`,
    next: (v) => [signIn(v), show(v)],
    admin: (v) => (v.protocol === 'smtp' ? sendAs(v, v.tokenUser) : fullAccess(v, v.tokenUser)),
  }),
  'mail-no-full-access': entry<MailSpot & { tokenUser: string }>({
    exit: Exit.notAllowed,
    title: (v) => `${v.tokenUser} may not open the mailbox ${v.user}`,
    why: () => 'who signs in for a shared mailbox needs FullAccess to it',
    next: (v) => [again(v)],
    admin: (v) => fullAccess(v, v.tokenUser),
  }),
  'imap-not-connected': entry<MailSpot & { tokenUser?: string | undefined }>({
    exit: Exit.notAllowed,
    title: (v) => `the token is good, but IMAP does not open the mailbox ${v.user}`,
    why: () => 'IMAP is switched off for the mailbox, it has no licence, or the user has no rights on it',
    next: (v) => [again(v)],
    admin: (v) =>
      v.tokenUser === undefined || v.tokenUser.toLowerCase() === v.user.toLowerCase()
        ? enableImap(v)
        : `${enableImap(v)}; ${fullAccess(v, v.tokenUser)}`,
  }),
  'imap-basic-auth-disabled': entry<MailSpot>({
    exit: Exit.notAllowed,
    title: (v) => `${v.host} takes this for a password sign-in, and those are switched off`,
    why: () => 'mailauth sends a token only: a gateway in between changes it, or a policy forbids the protocol',
    next: () => [environmentHelp],
    admin: (v) => `Get-CASMailbox -Identity ${ps(v.user)} | fl ImapEnabled; Get-AuthenticationPolicy`,
  }),
  throttled: entry<MailSpot & { waitMs?: number | undefined }>({
    exit: Exit.temporary,
    title: (v) => `${v.host} asks for fewer connections of ${v.user}`,
    why: (v) => (v.waitMs === undefined ? 'too many at once, or too many in a short time' : `it wants a pause of ${seconds(v.waitMs)}`),
    next: (v) => [afterPause(v, v.waitMs)],
    retryHelps: true,
  }),
  'mail-server-busy': entry<MailSpot>({
    exit: Exit.temporary,
    title: (v) => `${v.host} cannot do it right now`,
    why: () => 'the server says that the trouble is temporary',
    next: (v) => [again(v)],
    retryHelps: true,
  }),
  'mail-connection-closed-during-auth': entry<MailSpot & { tokenLength: number }>({
    exit: Exit.temporary,
    title: (v) => `${v.host} closed the connection during the sign-in`,
    why: (v) =>
      v.tokenLength > 5000
        ? `the token is ${v.tokenLength} characters long: servers and gateways cut off at their limit`
        : 'a server that restarts or limits connections, or a gateway that looks into them',
    next: (v) => [again(v), environmentHelp],
  }),
  'mail-stage-timeout': entry<{ host: string; port: number; stage: string; timeoutMs: number }>({
    exit: Exit.temporary,
    title: (v) =>
      v.stage === 'token'
        ? `no token within ${seconds(v.timeoutMs)}`
        : `${v.host}:${v.port} does not finish "${v.stage}" within ${seconds(v.timeoutMs)}`,
    why: () => 'a slow network, an overloaded server, or something in between that swallows data',
    next: () => [environmentHelp, 'try again, with more time: --timeout 60'],
  }),
  'imap-no-xoauth2': server.noXoauth2,
  'mail-no-starttls': entry<{ host: string; port: number }>({
    exit: Exit.failed,
    title: (v) => `${v.host}:${v.port} does not offer TLS, so no token goes there`,
    why: () => 'STARTTLS is missing or refused: a wrong port, or something in between takes it away',
    next: () => [environmentHelp],
  }),
  'mail-starttls-injection': entry<{ host: string; port: number }>({
    exit: Exit.failed,
    title: (v) => `${v.host}:${v.port} sent data between STARTTLS and the TLS handshake`,
    why: () => 'no server does that (RFC 9051 6.2.1, RFC 3207 5): somebody may tamper with the connection',
    next: () => [environmentHelp],
  }),
  'imap-greeting-refused': server.greetingRefused,
  'imap-protocol': server.unreadable,
  'mailbox-unavailable': entry<MailSpot>({
    exit: Exit.notAllowed,
    title: (v) => `signed in, but the INBOX of ${v.user} does not open`,
    why: () => 'no licence, no mailbox, or no rights on it',
    next: (v) => [again(v)],
    admin: (v) => `Get-EXOMailbox -Identity ${ps(v.user)}; Get-MailboxPermission -Identity ${ps(v.user)}`,
  }),
  'mail-user-name': entry({
    exit: Exit.usage,
    title: () => 'the user name of the mailbox is empty or contains control characters',
    next: () => ['mailauth setup --mailbox ADDRESS'],
    retryHelps: false,
  }),
};

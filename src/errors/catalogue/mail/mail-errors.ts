import type { ProtocolWord } from '../../../core/cloud.ts';
import { Exit } from '../../../core/errors.ts';
import { again, led, mailauth } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import {
  afterPause,
  doctor,
  exchangeApply,
  fullAccess,
  giveItAToken,
  type MailServer,
  type MailSpot,
  powerShell,
  protocolSwitch,
  ps,
  type RefusedBlanks,
  type Sent,
  seconds,
  serverEntries,
  show,
  signIn,
  testAgain,
  whyRefused,
} from './mail-words.ts';

const enableImap = (v: MailSpot): string => protocolSwitch(v, v.user);
const server = serverEntries('IMAP', 'AUTH=XOAUTH2');

/** Replies of Exchange and what they mean: Microsoft, "Authenticate an IMAP, POP or SMTP connection using OAuth", and field reports. */
export const mailEntries = {
  'imap-authenticate-failed': entry<RefusedBlanks>({
    exit: Exit.needsSignIn,
    source: sources.mail,
    hints: ['AUTHENTICATE failed', 'AUTHENTICATIONFAILED'],
    title: (v) => `${v.host} refuses the sign-in of ${v.user}`,
    why: whyRefused,
    next: (v) => [signIn(v), show(v)],
    admin: (v) => powerShell(`Get-CASMailbox -Identity ${ps(v.user)} | fl ImapEnabled`, enableImap(v)),
  }),
  'imap-not-connected': entry<MailSpot & { tokenUser?: string | undefined }>({
    exit: Exit.notAllowed,
    source: sources.mail,
    says: ['User is authenticated but not connected'],
    title: (v) => `The token is good, but IMAP does not open the mailbox ${v.user}`,
    why: () => 'IMAP is switched off for the mailbox, it has no licence, or the user has no rights on it',
    next: (v) => [exchangeApply(v), testAgain(v)],
    admin: (v) =>
      v.tokenUser === undefined || v.tokenUser.toLowerCase() === v.user.toLowerCase()
        ? powerShell(enableImap(v))
        : powerShell(enableImap(v), fullAccess(v, v.tokenUser)),
  }),
  'imap-basic-auth-disabled': entry<Sent>({
    exit: Exit.notAllowed,
    source: sources.mail,
    mender: 'you',
    says: [
      'Basic authentication is disabled',
      'AUTHENTICATE PLAIN … AUTHENTICATE failed',
      'AUTHENTICATE LOGIN … AUTHENTICATE failed',
      'Can not authenticate to IMAP server: LOGIN failed',
      'Can not authenticate to IMAP server: AUTHENTICATE failed … PLAIN',
      'Basic Auth … no longer supported',
      'BasicAuthBlocked',
    ],
    hints: [
      '[AUTHENTICATIONFAILED] LOGIN failed',
      'AUTHENTICATE LOGIN failed',
      'Authorization failure on … LOGIN failed',
      'LOGIN command error',
      'auth [LOGIN]',
      'LOGIN failed',
      'LOGINDISABLED',
    ],
    title: (v) =>
      v.sent === 'token'
        ? `${v.host} takes this for a password sign-in, and those are switched off`
        : `The program signs in with a password, and ${v.host} takes no passwords any more`,
    why: (v) =>
      v.sent === 'token'
        ? 'mailauth sends a token only: a gateway in between changes it, or a policy forbids the protocol'
        : 'Microsoft switched basic authentication off for every mailbox; OAuth 2 (XOAUTH2) with a token works',
    next: (v) => (v.sent === 'token' ? [doctor] : giveItAToken(v)),
    admin: (v) =>
      v.sent === 'token' ? powerShell(`Get-CASMailbox -Identity ${ps(v.user)} | fl ImapEnabled`, 'Get-AuthenticationPolicy') : undefined,
  }),
  throttled: entry<MailSpot & { waitMs?: number | undefined }>({
    exit: Exit.temporary,
    source: sources.mail,
    says: ['Request is throttled', 'Suggested Backoff Time', 'Too many concurrent connections'],
    follows: ['Connection is closed. 13'],
    title: (v) => `${v.host} asks for fewer connections of ${v.user}`,
    why: (v) => (v.waitMs === undefined ? 'too many at once, or too many in a short time' : `it asks for a pause of ${seconds(v.waitMs)}`),
    next: (v) => [afterPause(v, v.waitMs)],
    retryHelps: true,
  }),
  'mail-server-busy': entry<MailSpot>({
    exit: Exit.temporary,
    source: sources.mail,
    codes: ['4.3.2', '4.4.3', '4.4.316', '4.5.3', 'ErrorInProcessing'],
    hints: [
      'Temporary server error',
      'Temporary authentication failure',
      'Service not available',
      'Server Unavailable',
      'try again later',
      'Server busy',
      'SYS/TEMP',
      '4.7.0',
      'UNAVAILABLE',
    ],
    says: ['Connection refused [Message=Socket error', 'Connection timed out [Message=Socket error', 'temporarily unavailable … mail'],
    title: (v) => `${v.host} cannot do this right now`,
    why: () => 'the server says that the trouble is temporary; where it stays, look at the user name',
    next: (v) => [testAgain(v)],
    retryHelps: true,
  }),
  'mail-connection-closed-during-auth': entry<MailSpot & { tokenLength: number }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `${v.host} closed the connection during the sign-in`,
    why: (v) =>
      v.tokenLength > 5000
        ? `the token is ${v.tokenLength} characters long: servers and gateways cut off at their limit`
        : 'a server that restarts or limits connections, or a gateway that looks into them',
    next: (v) => [testAgain(v), doctor],
  }),
  'mail-test-timeout': entry<MailServer & { stage: string; timeoutMs: number }>({
    exit: Exit.temporary,
    source: sources.mail,
    title: (v) => `${v.host}:${v.port} takes more than ${seconds(v.timeoutMs)} for the test (until "${v.stage}")`,
    why: () => 'each step was in time, but all of them together were not: a very slow network or server',
    next: () => [doctor, again({ timeout: 60 })],
  }),
  'mail-stage-timeout': entry<{ host: string; port: number; stage: string; timeoutMs: number; through?: string | undefined }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) =>
      v.stage === 'token'
        ? `No token within ${seconds(v.timeoutMs)}`
        : `No answer from ${v.host}:${v.port} within ${seconds(v.timeoutMs)} (in the step "${v.stage}")`,
    why: (v) =>
      v.through === undefined
        ? 'a slow network, an overloaded server, or something in between that swallows data'
        : `the connection leads through the proxy ${v.through}, which may hold mail back or open its TLS`,
    next: (v) => [
      doctor,
      again({ timeout: 60 }),
      ...(v.through === undefined ? [] : [`Ask for an exemption of ${v.host}:${v.port}, or name the host in NO_PROXY.`]),
    ],
  }),
  'imap-no-xoauth2': server.noXoauth2,
  'mail-no-starttls': entry<{ host: string; port: number }>({
    exit: Exit.failed,
    source: sources.starttls,
    hints: [
      'AUTH command used when not advertised',
      'AUTH not available',
      'Authentication not enabled',
      'AUTH … not advertised',
      'STARTTLS is required',
      'Must issue a STARTTLS command first',
      'AUTH extension not supported by server',
      'No AUTH … before STARTTLS',
      'server does not support AUTH',
      "server doesn't support AUTH",
      'STARTTLS extension not supported',
      'Encryption required for requested authentication mechanism',
      'unencrypted connection … auth',
    ],
    title: (v) => `${v.host}:${v.port} does not offer TLS, so no token goes there`,
    why: () => 'STARTTLS is missing or refused: a wrong port, or something in between takes it away',
    next: () => [doctor],
  }),
  'mail-starttls-injection': entry<{ host: string; port: number }>({
    exit: Exit.failed,
    source: sources.starttls,
    title: (v) => `${v.host}:${v.port} sent data between STARTTLS and the TLS handshake`,
    why: () => 'no server does that (RFC 9051 6.2.1, RFC 3207 5): somebody may tamper with the connection',
    next: () => [doctor],
  }),
  'imap-greeting-refused': server.greetingRefused,
  'imap-protocol': server.unreadable,
  'mailbox-unavailable': entry<MailSpot>({
    exit: Exit.notAllowed,
    source: sources.mail,
    says: ['Mailbox has been disabled', "Mailbox doesn't exist"],
    title: (v) => `Signed in, but the INBOX of ${v.user} does not open`,
    why: () => 'no licence, no mailbox, or no rights on it',
    next: (v) => [testAgain(v)],
    admin: (v) => powerShell(`Get-EXOMailbox -Identity ${ps(v.user)}`, `Get-MailboxPermission -Identity ${ps(v.user)}`),
  }),
  'mail-user-name': entry({
    exit: Exit.usage,
    source: sources.own,
    title: () => 'The user name of the mailbox is empty or contains control characters',
    next: () => [mailauth('setup')],
    retryHelps: false,
  }),
  'sasl-challenge': entry<MailSpot>({
    exit: Exit.needsSignIn,
    source: sources.challenge,
    says: ['"status":"401","schemes":', '"status":"400","schemes":', '"status":"invalid_token"', '"status":"insufficient_scope"'],
    title: () => 'The mail server refuses the token, in a challenge that is JSON in base64',
    why: () => 'the token is expired, cut, for another user, or without the mail permission',
    next: (v) => [signIn(v), show(v), led("Not Microsoft's own words? A gateway in between may answer", doctor)],
  }),
  'mailboxes-red': entry<{ red: number; total: number; mailbox: string; protocol: string }>({
    exit: Exit.failed,
    source: sources.own,
    title: (v) => `${v.red} of ${v.total} mailboxes ${v.red === 1 ? 'is' : 'are'} red`,
    next: (v) => [mailauth('test', v.protocol, v.mailbox)],
  }),
  'mail-host-paused': entry<Pick<MailSpot, 'mailbox' | 'host'> & { protocol: ProtocolWord }>({
    exit: Exit.temporary,
    source: sources.own,
    title: (v) => `${v.host} was not asked about ${v.mailbox}: it asks for fewer connections`,
    why: () => 'it asked for longer pauses than the two minutes that one run waits in all',
    next: (v) => [testAgain(v)],
    retryHelps: true,
  }),
  'nothing-to-test': entry<{ setUps: number; protocol: string }>({
    exit: Exit.needsSignIn,
    source: sources.own,
    title: (v) => (v.setUps === 1 ? 'The only set-up has nothing to test here' : `The ${v.setUps} set-ups have nothing to test here`),
    why: (v) =>
      v.protocol === 'all'
        ? 'their products keep the tokens: nobody signed in on this computer'
        : `they do not use ${v.protocol}, or their products keep the tokens`,
    next: () => [mailauth('status')],
  }),
};

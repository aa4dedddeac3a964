import type { Fault } from './fault.ts';

/**
 * One thing that a mail server says otherwise. `at`: `greeting`; the command that gets this answer, as it begins; or `token`, the line
 * that carries the token. In `says` TAG stands for the command's own tag. Nothing said: silence.
 */
export interface MailFault extends Fault {
  readonly at: 'greeting' | 'token' | RegExp;
  readonly says: readonly string[];
  readonly hangUp?: true;
  /** goes on with TLS all the same */
  readonly startTls?: true;
}

const host = 'SANDBOX0001.contoso.example';
const throttled = 'Request is throttled. Suggested Backoff Time: 92415 milliseconds';

export const imapFaults = [
  { name: 'imap-silent', sees: 'mail-stage-timeout', what: 'IMAP never answers CAPABILITY', at: /^\S+ CAPABILITY/i, says: [] },
  {
    name: 'imap-greeting-refused',
    sees: 'imap-greeting-refused',
    what: 'IMAP turns the connection away: * BYE',
    at: 'greeting',
    says: ['* BYE The server is not available.'],
    hangUp: true,
  },
  {
    name: 'imap-protocol',
    sees: 'imap-protocol',
    what: 'another service answers on the IMAP port',
    at: 'greeting',
    says: ['220 FTP ready'],
  },
  {
    name: 'imap-no-xoauth2',
    sees: 'imap-no-xoauth2',
    what: 'IMAP does not offer XOAUTH2',
    at: /^\S+ CAPABILITY/i,
    says: ['* CAPABILITY IMAP4rev1 AUTH=PLAIN', 'TAG OK CAPABILITY completed.'],
  },
  {
    name: 'imap-auth-failed',
    sees: 'imap-authenticate-failed',
    what: 'IMAP refuses the token: NO AUTHENTICATE failed.',
    at: 'token',
    says: ['TAG NO AUTHENTICATE failed.'],
  },
  {
    name: 'imap-basic-auth-disabled',
    sees: 'imap-basic-auth-disabled',
    what: 'IMAP takes the token for a password: NO Basic authentication is disabled.',
    at: 'token',
    says: ['TAG NO Basic authentication is disabled.'],
  },
  { name: 'imap-throttled', sees: 'throttled', what: `IMAP wants a pause: NO ${throttled}`, at: 'token', says: [`TAG NO ${throttled}`] },
  {
    name: 'imap-busy',
    sees: 'mail-server-busy',
    what: 'IMAP cannot do it now: NO [UNAVAILABLE]',
    at: 'token',
    says: ['TAG NO [UNAVAILABLE] Try again later.'],
  },
  {
    name: 'imap-closed-in-auth',
    sees: 'mail-connection-closed-during-auth',
    what: 'IMAP hangs up when the token arrives',
    at: 'token',
    says: [],
    hangUp: true,
  },
  {
    name: 'imap-not-connected',
    sees: 'imap-not-connected',
    what: 'IMAP accepts the token, then: BAD User is authenticated but not connected.',
    at: /^\S+ (?:NAMESPACE|LIST|LSUB|STATUS|SELECT|EXAMINE|NOOP|IDLE)\b/i,
    says: ['TAG BAD User is authenticated but not connected.', '* BYE Connection closed. 14'],
    hangUp: true,
  },
  {
    name: 'imap-no-inbox',
    sees: 'mailbox-unavailable',
    what: 'IMAP accepts the token, but the INBOX does not open',
    at: /^\S+ (?:SELECT|EXAMINE)\b/i,
    says: ["TAG NO Mailbox doesn't exist."],
  },
] as const satisfies readonly MailFault[];

export const popFaults = [
  { name: 'pop-silent', sees: 'mail-stage-timeout', what: 'POP never answers CAPA', at: /^CAPA/i, says: [] },
  {
    name: 'pop-greeting-refused',
    sees: 'pop-greeting-refused',
    what: 'POP turns the connection away: -ERR Connection is closed. 21',
    at: 'greeting',
    says: ['-ERR Connection is closed. 21'],
    hangUp: true,
  },
  { name: 'pop-protocol', sees: 'pop-protocol', what: 'another service answers on the POP port', at: 'greeting', says: ['220 FTP ready'] },
  { name: 'pop-no-xoauth2', sees: 'pop-no-xoauth2', what: 'POP does not offer XOAUTH2', at: /^CAPA/i, says: ['+OK', 'UIDL', 'USER', '.'] },
  {
    name: 'pop-auth-failed',
    sees: 'pop-authenticate-failed',
    what: 'POP refuses the token: -ERR Authentication failure: unknown user name or bad password.',
    at: 'token',
    says: ['-ERR Authentication failure: unknown user name or bad password.'],
  },
  { name: 'pop-throttled', sees: 'throttled', what: `POP wants a pause: -ERR ${throttled}`, at: 'token', says: [`-ERR ${throttled}`] },
  {
    name: 'pop-busy',
    sees: 'mail-server-busy',
    what: 'POP cannot do it now: -ERR [SYS/TEMP]',
    at: 'token',
    says: ['-ERR [SYS/TEMP] later'],
  },
  {
    name: 'pop-closed-in-auth',
    sees: 'mail-connection-closed-during-auth',
    what: 'POP hangs up when the token arrives',
    at: 'token',
    says: [],
    hangUp: true,
  },
  {
    // By analogy with IMAP: the token is good, the mailbox does not open.
    name: 'pop-disabled',
    sees: 'pop-disabled',
    what: 'POP accepts the token, then: -ERR User is authenticated but not connected.',
    at: /^(?:STAT|LIST|UIDL)\b/i,
    says: ['-ERR User is authenticated but not connected.'],
    hangUp: true,
  },
  { name: 'pop-no-inbox', sees: 'mailbox-unavailable', what: 'POP refuses STAT', at: /^STAT/i, says: ['-ERR Protocol error. 14'] },
] as const satisfies readonly MailFault[];

const disabled = (what: string): readonly string[] => [
  `535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the ${what}. ` +
    `Visit https://aka.ms/smtp_auth_disabled for more information. [${host}]`,
];
const mailFrom = /^MAIL FROM:/i;

export const smtpFaults = [
  { name: 'smtp-silent', sees: 'mail-stage-timeout', what: 'SMTP never answers EHLO', at: /^EHLO/i, says: [] },
  {
    name: 'smtp-greeting-refused',
    sees: 'smtp-greeting-refused',
    what: 'SMTP turns the connection away: 421 4.3.2',
    at: 'greeting',
    says: ['421 4.3.2 Service not available'],
    hangUp: true,
  },
  {
    name: 'smtp-protocol',
    sees: 'smtp-protocol',
    what: 'another service answers on the SMTP port',
    at: 'greeting',
    says: ['* OK IMAP ready'],
  },
  {
    name: 'smtp-no-starttls',
    sees: 'mail-no-starttls',
    what: 'SMTP does not offer STARTTLS: something in between takes it away',
    at: /^EHLO/i,
    says: [`250-${host} Hello`, '250 XXXXXXXX'],
  },
  {
    name: 'smtp-injection',
    sees: 'mail-starttls-injection',
    what: 'SMTP is told to say more than it may before TLS',
    at: /^STARTTLS/i,
    says: ['220 2.0.0 SMTP server ready', '250 AUTH XOAUTH2'],
    startTls: true,
  },
  {
    name: 'smtp-no-xoauth2',
    sees: 'smtp-no-xoauth2',
    what: 'SMTP does not offer XOAUTH2: 504 to AUTH',
    at: /^AUTH XOAUTH2/i,
    says: ['504 5.7.4 Unrecognized authentication type'],
  },
  {
    name: 'smtp-auth-failed',
    sees: 'smtp-authenticate-failed',
    what: 'SMTP refuses the token: 535 5.7.3 Authentication unsuccessful',
    at: 'token',
    says: [`535 5.7.3 Authentication unsuccessful [${host}]`],
  },
  {
    name: 'smtp-auth-disabled-tenant',
    sees: 'smtp-auth-disabled',
    means: { where: 'tenant' },
    what: 'SMTP AUTH is switched off for the tenant: 535 5.7.139 SmtpClientAuthentication is disabled',
    at: 'token',
    says: disabled('Tenant'),
  },
  {
    name: 'smtp-auth-disabled-mailbox',
    sees: 'smtp-auth-disabled',
    means: { where: 'mailbox' },
    what: 'SMTP AUTH is switched off for the mailbox: 535 5.7.139 SmtpClientAuthentication is disabled',
    at: 'token',
    says: disabled('Mailbox'),
  },
  {
    name: 'smtp-basic-auth',
    sees: 'smtp-basic-auth',
    what: 'SMTP takes the token for a password: 535 5.7.139 basic authentication is disabled',
    at: 'token',
    says: [`535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [${host}]`],
  },
  {
    name: 'smtp-sign-in-blocked',
    sees: 'smtp-sign-in-blocked',
    what: 'a policy blocks the sign-in: 535 5.7.139 the request did not meet the criteria',
    at: 'token',
    says: ['535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully.'],
  },
  {
    name: 'smtp-federation',
    sees: 'smtp-federation',
    what: "the organisation's AD FS is unreachable: 454 4.7.0",
    at: 'token',
    says: ['454 4.7.0 Temporary authentication failure, federated STS service was unreachable'],
  },
  {
    name: 'smtp-busy',
    sees: 'mail-server-busy',
    what: 'SMTP cannot do it now: 454 4.7.0',
    at: 'token',
    says: ['454 4.7.0 Temporary authentication failure'],
  },
  {
    name: 'smtp-closed-in-auth',
    sees: 'mail-connection-closed-during-auth',
    what: 'SMTP hangs up when the token arrives',
    at: 'token',
    says: [],
    hangUp: true,
  },
  {
    name: 'smtp-send-as-denied',
    sees: 'smtp-send-as-denied',
    what: 'SMTP refuses the sender: 550 5.7.60 Client does not have permissions to send as this sender',
    at: mailFrom,
    says: ['550 5.7.60 SMTP; Client does not have permissions to send as this sender'],
  },
  {
    name: 'smtp-throttled',
    sees: 'smtp-throttled',
    what: 'SMTP wants a pause: 432 4.3.2 Concurrent connections limit exceeded',
    at: mailFrom,
    says: [`432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [${host}]`],
  },
  {
    name: 'smtp-sender-restricted',
    sees: 'smtp-sender-restricted',
    what: 'the mailbox is blocked for spam: 550 5.1.8 Access denied, bad outbound sender',
    at: mailFrom,
    says: [
      '550 5.1.8 Access denied, bad outbound sender. For more information please go to http://go.microsoft.com/fwlink/?LinkId=875724.',
    ],
  },
  {
    name: 'smtp-address-refused',
    sees: 'smtp-address-refused',
    what: 'no mail from this network address: 550 5.7.708',
    at: mailFrom,
    says: ['550 5.7.708 Service unavailable. Access denied, traffic not accepted from this IP.'],
  },
  {
    name: 'smtp-tenant-threshold',
    sees: 'smtp-tenant-threshold',
    what: 'the tenant has sent too much spam: 550 5.7.705',
    at: mailFrom,
    says: ['550 5.7.705 Access denied, tenant has exceeded threshold.'],
  },
  {
    name: 'smtp-not-accepted',
    sees: 'smtp-not-accepted',
    what: 'SMTP refuses the sender with a sentence of its own: 550 5.4.300',
    at: mailFrom,
    says: ['550 5.4.300 Message is not welcome here'],
  },
  {
    name: 'smtp-recipient-refused',
    sees: 'smtp-recipient-refused',
    what: 'with test smtp --send-to: 550 5.1.10 Recipient not found',
    at: /^RCPT TO:/i,
    says: ['550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found'],
  },
] as const satisfies readonly MailFault[];

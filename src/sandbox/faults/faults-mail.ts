import type { Fault } from './fault.ts';

/**
 * One wrong answer of a mail server. `at`: the greeting, the line with the token, the end of a message, or the command that gets this answer, by
 * its beginning.
 * In `says`, TAG is replaced by the tag of the command. An empty `says` is silence.
 */
export interface MailFault extends Fault {
  readonly at: 'greeting' | 'token' | 'message' | RegExp;
  readonly says: readonly string[];
  readonly hangUp?: true;
  /** TLS begins all the same */
  readonly startTls?: true;
}

export const host = 'SANDBOX0001.contoso.example';
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
    what: 'IMAP treats the token as a password: NO Basic authentication is disabled.',
    at: 'token',
    says: ['TAG NO Basic authentication is disabled.'],
  },
  { name: 'imap-throttled', sees: 'throttled', what: `IMAP asks for a pause: NO ${throttled}`, at: 'token', says: [`TAG NO ${throttled}`] },
  {
    name: 'imap-busy',
    sees: 'mail-server-busy',
    what: 'IMAP is busy: NO [UNAVAILABLE]',
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
    name: 'imap-session-expired',
    sees: 'mail-session-expired',
    what: 'IMAP accepts the token and ends the session: * BYE Session invalidated - AccessTokenExpired',
    at: /^\S+ (?:SELECT|EXAMINE)\b/i,
    says: ['* BYE Session invalidated - AccessTokenExpired'],
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
    what: 'IMAP accepts the token and does not open the INBOX',
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
  { name: 'pop-throttled', sees: 'throttled', what: `POP asks for a pause: -ERR ${throttled}`, at: 'token', says: [`-ERR ${throttled}`] },
  {
    name: 'pop-busy',
    sees: 'mail-server-busy',
    what: 'POP is busy: -ERR [SYS/TEMP]',
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

import type { Fault } from './fault.ts';

/** What is wrong below the protocols: the certificate, or the program that answers on the port. */
export type Breakage = 'expired' | 'other-host' | 'untrusted' | 'no-tls' | 'closed' | 'silent' | 'not-listening' | 'no-http' | 'too-much';

export interface ConnectionFault extends Fault {
  readonly on: 'mail' | 'sign-in';
  readonly how: Breakage;
}

const untrusted = 'has a certificate from an unknown authority, as behind a proxy that decrypts TLS';

/** `mail-…` breaks IMAP, POP and SMTP; `login-…` the sign-in service and Graph, which share a server here. */
export const connectionFaults = [
  { name: 'mail-tls-expired', sees: 'tls-expired', what: 'the certificate of every mail server has expired', on: 'mail', how: 'expired' },
  {
    name: 'mail-tls-hostname',
    sees: 'tls-hostname',
    what: "every mail server has another host's certificate",
    on: 'mail',
    how: 'other-host',
  },
  { name: 'mail-tls-untrusted', sees: 'tls-untrusted', what: `every mail server ${untrusted}`, on: 'mail', how: 'untrusted' },
  { name: 'mail-tls-failed', sees: 'tls-failed', what: 'IMAP and POP answer without TLS', on: 'mail', how: 'no-tls' },
  { name: 'mail-closed', sees: 'connection-closed', what: 'every mail server hangs up at once', on: 'mail', how: 'closed' },
  {
    name: 'mail-mute',
    sees: 'mail-stage-timeout',
    what: 'every mail server accepts the connection and sends nothing',
    on: 'mail',
    how: 'silent',
  },
  { name: 'mail-refused', sees: 'connect-refused', what: 'no program listens on the mail ports', on: 'mail', how: 'not-listening' },
  {
    name: 'login-tls-expired',
    sees: 'tls-expired',
    what: 'the certificate of the sign-in service has expired',
    on: 'sign-in',
    how: 'expired',
  },
  {
    name: 'login-tls-hostname',
    sees: 'tls-hostname',
    what: "the sign-in service has another host's certificate",
    on: 'sign-in',
    how: 'other-host',
  },
  { name: 'login-tls-untrusted', sees: 'tls-untrusted', what: `the sign-in service ${untrusted}`, on: 'sign-in', how: 'untrusted' },
  { name: 'login-tls-failed', sees: 'tls-failed', what: 'the sign-in service answers without TLS', on: 'sign-in', how: 'no-tls' },
  { name: 'login-closed', sees: 'connection-closed', what: 'the sign-in service hangs up at once', on: 'sign-in', how: 'closed' },
  {
    name: 'login-mute',
    sees: 'connect-timeout',
    what: 'the sign-in service accepts the connection and sends nothing',
    on: 'sign-in',
    how: 'silent',
  },
  {
    name: 'login-refused',
    sees: 'connect-refused',
    what: 'no program listens on the port of the sign-in service',
    on: 'sign-in',
    how: 'not-listening',
  },
  { name: 'login-no-http', sees: 'http-failed', what: 'the sign-in service does not speak HTTP', on: 'sign-in', how: 'no-http' },
  {
    name: 'login-too-much',
    sees: 'response-too-large',
    what: 'the sign-in service answers with two megabytes',
    on: 'sign-in',
    how: 'too-much',
  },
] as const satisfies readonly ConnectionFault[];

export function connectionFault(name: string | undefined): ConnectionFault | undefined {
  return connectionFaults.find((one) => one.name === name);
}

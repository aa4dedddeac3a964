/** How the sandbox can be told to misbehave: `--fault NAME`, one at a time. The words are for `--list-faults`. */
const table = [
  { name: 'consent-denied', what: 'the person declines: Accept leads back with access_denied (AADSTS65004)' },
  { name: 'admin-consent-required', what: 'the page "Need admin approval" instead of consent (AADSTS90094)' },
  { name: 'client-unknown', what: 'the application is not found in the tenant (AADSTS700016)' },
  { name: 'code-expired', what: 'the authorization code is refused as expired (AADSTS70008)' },
  { name: 'secret-expired', what: 'the client secret is refused as expired (AADSTS7000222)' },
  { name: 'refresh-revoked', what: 'the refresh token was revoked, as after a password reset (AADSTS50173)' },
  { name: 'refresh-expired', what: 'the refresh token was not used for 90 days (AADSTS700082)' },
  { name: 'token-unavailable', what: 'the token endpoint answers 503 (AADSTS90033)' },
  { name: 'throttled', what: 'the token endpoint answers 429 with Retry-After (AADSTS90055)' },
  { name: 'wrong-scope', what: 'the token is granted without the IMAP permission' },
  { name: 'graph-lag', what: 'Graph is slow to know a new app: NoBackingApplicationObject, then 404, twice each' },
  { name: 'graph-throttled', what: 'Graph answers the first two calls of a command with 429 and Retry-After: 1' },
  { name: 'graph-unavailable', what: 'Graph answers the first call of a command with 503' },
  { name: 'graph-not-admin', what: 'nobody is an administrator: grants and admin consent are refused (Authorization_RequestDenied)' },
  { name: 'registration-forbidden', what: 'nobody is an administrator, and users may not register applications' },
  { name: 'secrets-forbidden', what: 'a tenant policy forbids client secrets (CredentialTypeNotAllowedAsPerAppPolicy)' },
  { name: 'secret-lifetime-policy', what: 'client secrets may live 180 days at most (CredentialInvalidLifetimeAsPerAppPolicy)' },
  { name: 'secret-not-replicated', what: 'a new client secret is refused the first two times (AADSTS7000215)' },
  { name: 'audience-forbidden', what: 'a tenant policy allows single-tenant apps only (SignInAudienceNotAllowedAsPerAppPolicy)' },
  { name: 'no-exchange', what: 'the tenant has no Exchange Online: its service principal is missing (AADSTS650052, AADSTS500011)' },
  { name: 'imap-auth-failed', what: 'IMAP refuses the token: NO AUTHENTICATE failed.' },
  { name: 'imap-not-connected', what: 'IMAP accepts the token, then: BAD User is authenticated but not connected.' },
  { name: 'pop-auth-failed', what: 'POP refuses the token: -ERR Authentication failure: unknown user name or bad password.' },
  { name: 'pop-disabled', what: 'POP accepts the token, then: -ERR User is authenticated but not connected.' },
  { name: 'smtp-auth-failed', what: 'SMTP refuses the token: 535 5.7.3 Authentication unsuccessful' },
  { name: 'smtp-auth-disabled-tenant', what: 'SMTP AUTH is switched off for the tenant: 535 5.7.139 SmtpClientAuthentication is disabled' },
  {
    name: 'smtp-auth-disabled-mailbox',
    what: 'SMTP AUTH is switched off for the mailbox: 535 5.7.139 SmtpClientAuthentication is disabled',
  },
  { name: 'smtp-send-as-denied', what: 'SMTP refuses the sender: 550 5.7.60 Client does not have permissions to send as this sender' },
  { name: 'smtp-throttled', what: 'SMTP wants a pause: 432 4.3.2 Concurrent connections limit exceeded' },
] as const;

export type FaultName = (typeof table)[number]['name'];

export const sandboxFaults: readonly { readonly name: FaultName; readonly what: string }[] = table;

/** Is this a fault the sandbox knows? The command layer reports the unknown ones (exit 2). */
export function isFault(name: string): name is FaultName {
  return table.some((fault) => fault.name === name);
}

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
  { name: 'imap-auth-failed', what: 'IMAP refuses the token: NO AUTHENTICATE failed.' },
  { name: 'imap-not-connected', what: 'IMAP accepts the token, then: BAD User is authenticated but not connected.' },
] as const;

export type FaultName = (typeof table)[number]['name'];

export const sandboxFaults: readonly { readonly name: FaultName; readonly what: string }[] = table;

/** Is this a fault the sandbox knows? The command layer reports the unknown ones (exit 2). */
export function isFault(name: string): name is FaultName {
  return table.some((fault) => fault.name === name);
}

import { type ClaimFault, type Fault, otherTenant } from './fault.ts';

const ada = 'ada@contoso.example';

/** The tenant's discovery document, the sign-in page, and the account that signs in. */
export const signInFaults = [
  { name: 'discovery-busy', sees: 'discovery-busy', what: "the tenant's configuration answers 503" },
  { name: 'discovery-page', sees: 'discovery-unreadable', what: "the tenant's configuration is a web page, as in a guest network" },
  { name: 'endpoints-foreign', sees: 'endpoints-foreign', what: "the tenant's configuration names a token endpoint on another host" },
  { name: 'endpoints-v1', sees: 'endpoints-not-v2', what: "the tenant's configuration names the old (v1) endpoints" },
  { name: 'tenant-other-cloud', sees: 'tenant-other-cloud', what: "the tenant's configuration belongs to the US Government cloud" },
  { name: 'consent-denied', sees: 'consent-declined', what: 'the person declines: Accept leads back with access_denied (AADSTS65004)' },
  { name: 'admin-consent-required', sees: 'consent-needed', what: 'the page "Need admin approval" instead of consent (AADSTS90094)' },
  { name: 'code-expired', sees: 'code-expired', what: 'the authorization code is refused as expired (AADSTS70008)' },
  { name: 'wrong-scope', sees: 'scope-missing', what: 'the token is granted without the IMAP permission' },
  {
    name: 'wrong-account',
    sees: 'wrong-account',
    what: `${ada} signs in, whichever account was asked for`,
    identity: { preferred_username: ada, email: ada },
  },
  {
    name: 'wrong-tenant',
    sees: 'wrong-tenant',
    what: 'the account that signs in belongs to another tenant',
    identity: { tid: otherTenant },
  },
  {
    name: 'account-unknown',
    sees: 'account-unknown',
    what: 'the answer does not say who signed in',
    access: () => ({ upn: undefined, unique_name: undefined }),
    identity: { preferred_username: undefined, email: undefined },
  },
  {
    name: 'id-token-foreign',
    sees: 'id-token-foreign',
    what: 'the answer is for another application',
    identity: { aud: '99999999-5a4d-4b0c-9a11-c0ffee000009' },
  },
  { name: 'consent-other-tenant', sees: 'consent-other-tenant', what: 'an administrator of another tenant gives the admin consent' },
] as const satisfies readonly ClaimFault[];

export const deviceFaults = [
  { name: 'device-blocked', sees: 'device-blocked', what: 'Conditional Access blocks device codes (AADSTS53003)' },
  { name: 'device-security-defaults', sees: 'device-blocked', what: 'security defaults block device codes (AADSTS530035)' },
  { name: 'device-declined', sees: 'device-declined', what: 'the person declines on the page for the code (authorization_declined)' },
  { name: 'device-expired', sees: 'device-code-expired', what: 'the code expires before it is used (AADSTS70020)' },
  { name: 'device-code-unknown', sees: 'device-code-unknown', what: 'the code is no longer known (AADSTS70018)' },
  { name: 'device-not-public', sees: 'device-needs-public-client', what: 'the app does not allow public client flows (AADSTS7000218)' },
  { name: 'device-slow-down', what: 'the first poll is answered with slow_down' },
  { name: 'device-unavailable', what: 'the first poll is answered with 503 (AADSTS90033)' },
  {
    name: 'refresh-device-blocked',
    sees: 'sign-in-expired',
    what: 'a refresh token that came from a device code is refused (AADSTS530036)',
  },
] as const satisfies readonly Fault[];

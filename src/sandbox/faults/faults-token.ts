import { protocols } from '../../core/cloud.ts';
import { appRolesOf } from '../../core/permissions.ts';
import type { ProblemCode } from '../../errors/problem.ts';
import type { Aadsts } from './entra-refusals.ts';
import { type ClaimFault, type Fault, otherTenant } from './fault.ts';

/**
 * Refusals of the token endpoint: the error that the operator then sees, which is also the name of the fault, and one of the AADSTS numbers
 * that mean it.
 */
const refusals = {
  'client-disabled': 7000112,
  'client-secret-wrong': 7000215,
  'client-secret-missing': 7000218,
  'client-secret-unwanted': 700025,
  'redirect-mismatch': 50011,
  'redirect-single-page': 9002327,
  'app-single-tenant': 50194,
  'app-personal-only': 9002331,
  'app-work-only': 9002332,
  'app-not-in-tenant': 7000229,
  'scope-refused': 70011,
  'exchange-missing': 650052,
  'permission-undeclared': 650057,
  'permission-ids-wrong': 65006,
  'first-party-app': 65002,
  'request-refused': 900144,
  'response-type-disabled': 700054,
  'endpoint-v1': 901002,
  'endpoint-wants-post': 900561,
  'certificate-refused': 700027,
  'grant-not-offered': 7000114,
  'tenant-unknown': 90002,
  'account-not-in-tenant': 50020,
  'account-disabled': 50057,
  'account-not-assigned': 50105,
  'account-locked': 50053,
  'account-other-cloud': 90038,
  'password-wrong': 50126,
  'password-expired': 50055,
  'password-agent': 80001,
  'policy-blocked': 53003,
  'device-required': 53000,
  'security-defaults': 530035,
  'mfa-needed': 50076,
  'sign-in-expired': 70043,
  'code-used': 54005,
  'consent-needed': 65001,
  'browser-session': 165000,
  'browser-click': 50140,
  'device-code-elsewhere': 50134,
  'entra-unknown': 9999999,
} as const satisfies Partial<Record<ProblemCode, Aadsts>>;

type Refusal = keyof typeof refusals;

export const refusalFaults: readonly (Fault & { readonly name: Refusal; readonly aadsts: Aadsts })[] = (
  Object.keys(refusals) as Refusal[]
).map((name) => ({ name, sees: name, aadsts: refusals[name], what: `the token endpoint refuses with AADSTS${refusals[name]}` }));

/** The number that the token endpoint answers under this fault. */
export function refusalOf(fault: string | undefined): Aadsts | undefined {
  return refusalFaults.find((one) => one.name === fault)?.aadsts;
}

/** Refusals of the administrator's sign-in, which is made as Microsoft Azure CLI: the name of the fault and its AADSTS number. */
const adminRefusals = {
  'admin-policy-blocked': 53003,
  'admin-token-protection': 530084,
  'admin-mfa-needed': 50076,
  'admin-not-assigned': 50105,
  'admin-app-disabled': 7000112,
  'admin-consent-needed': 65001,
  'admin-not-preauthorized': 65002,
  'admin-graph-missing': 500011,
  'admin-password-wrong': 50126,
} as const satisfies Readonly<Record<string, Aadsts>>;

type AdminRefusal = keyof typeof adminRefusals;

export const adminFaults: readonly (Fault & { readonly name: AdminRefusal; readonly aadsts: Aadsts })[] = (
  Object.keys(adminRefusals) as AdminRefusal[]
).map((name) => ({
  name,
  sees: 'admin-sign-in-refused',
  aadsts: adminRefusals[name],
  what: `the administrator's sign-in as Microsoft Azure CLI is refused with AADSTS${adminRefusals[name]}`,
}));

/** The number that the token endpoint answers to Microsoft Azure CLI under this fault. */
export function adminRefusalOf(fault: string | undefined): Aadsts | undefined {
  return adminFaults.find((one) => one.name === fault)?.aadsts;
}

/** Faults of the token endpoint that have rules of their own in `src/sandbox/entra`. */
export const tokenFaults = [
  { name: 'client-unknown', sees: 'client-unknown', what: 'the application is not found in the tenant (AADSTS700016)' },
  { name: 'secret-expired', sees: 'client-secret-expired', what: 'the client secret is refused as expired (AADSTS7000222)' },
  { name: 'refresh-revoked', sees: 'sign-in-expired', what: 'the refresh token was revoked, as after a password reset (AADSTS50173)' },
  { name: 'refresh-expired', sees: 'sign-in-expired', what: 'the refresh token was not used for 90 days (AADSTS700082)' },
  {
    name: 'refresh-two-numbers',
    sees: 'sign-in-expired',
    what: 'the refresh token is refused with two numbers (AADSTS70002, AADSTS70000)',
  },
  { name: 'refresh-malformed', sees: 'sign-in-expired', what: 'the refresh token is called malformed (AADSTS9002313)' },
  { name: 'token-unavailable', sees: 'entra-busy', what: 'the token endpoint answers 503 (AADSTS90033)' },
  { name: 'throttled', sees: 'entra-busy', what: 'the token endpoint answers 429 with Retry-After (AADSTS90055)' },
  { name: 'no-refresh-token', what: 'the answer holds no refresh token, as without offline_access' },
  { name: 'token-page', sees: 'token-answer-unreadable', what: 'the token endpoint answers with a web page, as a guest network does' },
] as const satisfies readonly Fault[];

/** A service principal that Exchange does not know. */
export const strangePrincipal = '9a11c0de-5a4d-4b0c-9a11-c0ffee000404';
const grace = 'grace@contoso.example';

/** Access tokens that every mail server refuses, because one claim is wrong. */
export const claimFaults = [
  {
    name: 'token-audience',
    sees: 'mail-token-audience',
    what: 'the access token is for Microsoft Graph',
    access: () => ({ aud: 'https://graph.microsoft.com' }),
  },
  {
    name: 'token-scope',
    sees: 'mail-token-scope',
    what: 'the access token lacks the mail permissions, although the answer names them',
    access: () => ({ scp: 'User.Read' }),
  },
  {
    name: 'token-tenant',
    sees: 'mail-token-tenant',
    what: 'the access token is from another tenant',
    access: () => ({ tid: otherTenant }),
  },
  {
    name: 'token-user',
    sees: 'mail-token-user',
    what: 'the access token belongs to another user',
    access: () => ({ upn: grace, unique_name: grace }),
  },
  {
    name: 'token-expired',
    sees: 'mail-token-expired',
    what: 'the access token expires earlier than the answer says',
    access: (nowSeconds: number) => ({ exp: nowSeconds - 60 }),
  },
  {
    name: 'token-app-only',
    sees: 'mail-app-only',
    what: 'the access token belongs to the application and names no user',
    access: () => ({
      ...{ idtyp: 'app', upn: undefined, unique_name: undefined, scp: undefined, oid: strangePrincipal },
      roles: appRolesOf(protocols),
    }),
  },
] as const satisfies readonly ClaimFault[];

/** Faults that concern only an app with its own access (`--access app-only`). */
export const appOnlyFaults = [
  { name: 'app-roles-missing', sees: 'app-role-missing', what: 'the app’s own token has no roles, because admin consent was not granted' },
  { name: 'app-not-granted', sees: 'mail-app-only', what: 'Exchange does not know the app, so its token opens no mailbox' },
] as const satisfies readonly Fault[];

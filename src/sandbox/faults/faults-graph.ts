import type { Fault } from './fault.ts';

/** One answer of Graph. `on`: the calls that get it, as method and path (`POST applications`); left out, all calls. */
export interface GraphRefusalFault extends Fault {
  readonly on?: RegExp;
  readonly status: number;
  readonly code?: string;
  readonly message?: string;
  /** seconds */
  readonly retryAfter?: number;
}

/** Faults that give the same answer every time. */
export const graphRefusals = [
  {
    name: 'graph-token-refused',
    sees: 'graph-token-refused',
    what: "Graph answers 401: the administrator's token is not accepted",
    status: 401,
    code: 'InvalidAuthenticationToken',
    message: 'Lifetime validation failed, the token is expired.',
  },
  {
    name: 'graph-busy',
    sees: 'graph-busy',
    what: 'Graph answers 429 and asks for a pause of ten minutes',
    status: 429,
    code: 'TooManyRequests',
    message: 'Too many requests. Please wait before trying again.',
    retryAfter: 600,
  },
  { name: 'graph-page', sees: 'graph-unreadable', what: 'Graph answers with a web page, as a proxy does', status: 200 },
  {
    name: 'graph-refused',
    sees: 'graph-refused',
    what: 'Graph refuses the new application for a reason that mailauth does not know',
    on: /^POST applications$/,
    status: 400,
    code: 'Request_BadRequest',
    message: "Invalid value specified for property 'displayName' of resource 'Application'.",
  },
  {
    name: 'graph-quota',
    sees: 'graph-quota',
    what: 'the directory has no room for another application (Directory_QuotaExceeded)',
    on: /^POST applications$/,
    status: 403,
    code: 'Directory_QuotaExceeded',
    message: 'The directory object quota limit for the Principal has been exceeded.',
  },
  {
    name: 'certificates-forbidden',
    sees: 'certificates-forbidden',
    what: 'with --certificate: a tenant policy forbids certificates (CredentialTypeNotAllowedAsPerAppPolicy)',
    on: /^POST applications$/,
    status: 400,
    code: 'CredentialTypeNotAllowedAsPerAppPolicy',
    message: 'Credential type not allowed as per assigned policy.',
  },
  {
    name: 'certificate-authority',
    sees: 'certificate-authority-forbidden',
    what: "with --certificate: a tenant policy wants a certificate of the tenant's own authorities (trustedCertificateAuthority)",
    on: /^POST applications$/,
    status: 400,
    code: 'Request_BadRequest',
    message: 'The certificate is not issued by an authority of the policy trustedCertificateAuthority.',
  },
  {
    name: 'graph-object-full',
    sees: 'graph-object-full',
    what: 'the application holds as many values as the directory stores (Directory_ResourceSizeExceeded)',
    on: /^POST applications$/,
    status: 403,
    code: 'Directory_ResourceSizeExceeded',
    message: 'The size of the object has exceeded its limit. Please reduce the number of values and retry your request.',
  },
  {
    name: 'graph-scope-refused',
    sees: 'graph-permission-missing',
    what: 'Graph refuses the scopes of the app that signed in, with an error inside of its message (PermissionScopeNotGranted)',
    on: /^POST applications$/,
    status: 403,
    code: 'UnknownError',
    message:
      '{"errorCode":"PermissionScopeNotGranted","message":"Authorization failed due to missing permission scope Application.ReadWrite.All.","instanceAnnotations":[]}',
  },
  {
    name: 'redirect-domain-forbidden',
    sees: 'redirect-domain-forbidden',
    what: 'redirect URIs must use a verified domain (HostNameNotOnVerifiedDomain)',
    on: /^POST applications$/,
    status: 400,
    code: 'HostNameNotOnVerifiedDomain',
    message: "Values of 'redirectUris' property must use a verified domain of the organization.",
  },
  {
    name: 'graph-lag-forever',
    sees: 'graph-lag',
    what: 'Graph never finds the new application (NoBackingApplicationObject)',
    on: /^POST servicePrincipals$/,
    status: 400,
    code: 'NoBackingApplicationObject',
    message: 'The appId of the service principal does not reference a valid application object.',
  },
  {
    name: 'app-gone',
    sees: 'app-gone',
    what: 'with secret rotate: the application was deleted, so Graph answers 404',
    on: /^\w+ applications[/(]/,
    status: 404,
    code: 'Request_ResourceNotFound',
    message: 'The resource does not exist or one of its queried reference-property objects are not present.',
  },
] as const satisfies readonly GraphRefusalFault[];

/** Faults of Graph that have rules of their own in `src/sandbox/graph`. */
export const graphFaults = [
  { name: 'graph-lag', what: 'Graph does not find a new app at once: NoBackingApplicationObject, then 404, twice each' },
  { name: 'graph-throttled', what: 'Graph answers the first two calls of a command with 429 and Retry-After: 1' },
  { name: 'graph-unavailable', what: 'Graph answers the first call of a command with 503' },
  {
    name: 'service-reference',
    sees: 'service-reference-needed',
    what: 'the tenant demands a service management reference on each application (ServiceTreeValueMissing)',
  },
  {
    name: 'certificate-lifetime-policy',
    sees: 'certificate-lifetime-forbidden',
    what: 'a tenant policy limits certificates to 7 days (CredentialInvalidLifetimeAsPerAppPolicy)',
  },
  {
    name: 'graph-reads-lag',
    what: 'Graph does not show a new client secret for 20 seconds, and cannot remove it: "No password credential found"',
  },
  { name: 'graph-claims-challenge', what: 'Graph asks for a sign-in with more claims, once: 401 insufficient_claims' },
  {
    name: 'graph-claims-refused',
    sees: 'graph-claims-refused',
    what: 'Graph asks for a sign-in with more claims, and again after that sign-in',
  },
  { name: 'secret-not-replicated', what: 'a new client secret is refused the first two times (AADSTS7000215)' },
  {
    name: 'graph-not-admin',
    sees: 'graph-role-missing',
    what: 'no account is an administrator: grants and admin consent are refused (Authorization_RequestDenied)',
  },
  {
    name: 'registration-forbidden',
    sees: 'graph-role-missing',
    what: 'no account is an administrator, and users are not allowed to register applications',
  },
  { name: 'graph-permission-missing', sees: 'graph-permission-missing', what: "the administrator's token allows reading only" },
  {
    name: 'secrets-forbidden',
    sees: 'secrets-forbidden',
    what: 'a tenant policy forbids client secrets (CredentialTypeNotAllowedAsPerAppPolicy)',
  },
  {
    name: 'secret-lifetime-policy',
    sees: 'secret-lifetime-forbidden',
    what: 'a tenant policy limits client secrets to 180 days (CredentialInvalidLifetimeAsPerAppPolicy)',
  },
  {
    name: 'audience-forbidden',
    sees: 'audience-forbidden',
    what: 'a tenant policy allows single-tenant apps only (SignInAudienceNotAllowedAsPerAppPolicy)',
  },
  {
    name: 'no-exchange',
    sees: 'tenant-without-exchange',
    what: 'the tenant has no Exchange Online: its service principal is missing (AADSTS650052, AADSTS500011)',
  },
  { name: 'permission-unpublished', sees: 'permission-unpublished', what: 'Exchange Online of this cloud has no POP permission' },
] as const satisfies readonly Fault[];

import * as z from 'zod/mini';

export const audiences = ['AzureADMyOrg', 'AzureADMultipleOrgs', 'AzureADandPersonalMicrosoftAccount', 'PersonalMicrosoftAccount'] as const;

const secretSchema = z.object({
  id: z.string(),
  sha256: z.string(),
  /** milliseconds since the epoch, like every time in here */
  expiresAt: z.number(),
  startsAt: z.optional(z.number()),
  name: z.optional(z.nullable(z.string())),
  /** the first three characters */
  hint: z.optional(z.string()),
  /** how often it will still be refused, as a new secret that has not reached every server */
  refusals: z.optional(z.number()),
});

/** What Graph knows of an application besides its name, redirects and secrets. An app without it gets that of `registrationOf`. */
const registrationSchema = z.object({
  objectId: z.string(),
  createdAt: z.number(),
  /** the tenant that it was registered in; left out for the ready apps, which are in every one */
  tenantId: z.optional(z.string()),
  /** address of the user who made it, or null */
  owner: z.nullable(z.string()),
  audience: z.enum(audiences),
  publicFallback: z.nullable(z.boolean()),
  tags: z.array(z.string()),
  spaRedirects: z.array(z.string()),
  implicit: z.object({ accessToken: z.boolean(), idToken: z.boolean() }),
  permissions: z.array(
    z.object({ resourceAppId: z.string(), resourceAccess: z.array(z.object({ id: z.string(), type: z.enum(['Scope', 'Role']) })) }),
  ),
  tokenVersion: z.nullable(z.number()),
  /** writable properties without effect in the sandbox, returned as they were sent */
  others: z.record(z.string(), z.unknown()),
  /** replication lag: how many calls still do not find it */
  lag: z.object({ application: z.number(), servicePrincipal: z.number() }),
});

/** A certificate on an application: `key` is its DER, base64. */
const certificateSchema = z.object({
  id: z.string(),
  key: z.string(),
  /** SHA-256 of the DER, base64url */
  thumbprint: z.string(),
  /** `customKeyIdentifier`, where the one who uploaded it set one */
  identifier: z.optional(z.string()),
  name: z.nullable(z.string()),
  startsAt: z.number(),
  expiresAt: z.number(),
});

/** Graph's appRoleAssignment: an application permission that an administrator granted. */
const roleAssignmentSchema = z.object({
  id: z.string(),
  /** object id of the app's service principal */
  principalId: z.string(),
  resourceId: z.string(),
  appRoleId: z.string(),
  createdAt: z.number(),
});

const appSchema = z.object({
  clientId: z.string(),
  name: z.string(),
  /** platform "Mobile and desktop applications" */
  publicRedirects: z.array(z.string()),
  /** platform "Web" */
  webRedirects: z.array(z.string()),
  secrets: z.array(secretSchema),
  certificates: z.optional(z.array(certificateSchema)),
  registration: z.optional(registrationSchema),
});

const servicePrincipalSchema = z.object({
  objectId: z.string(),
  appId: z.string(),
  createdAt: z.number(),
  tags: z.array(z.string()),
  /** false: nobody can sign in to it ("Enabled for users to sign in?") */
  enabled: z.optional(z.boolean()),
  /** replication lag: how many calls still do not find it */
  lag: z.number(),
});

/** Graph's oauth2PermissionGrant. Both ids are object ids of service principals. */
const grantSchema = z.object({
  id: z.string(),
  clientId: z.string(),
  resourceId: z.string(),
  consentType: z.enum(['AllPrincipals', 'Principal']),
  principalId: z.nullable(z.string()),
  scope: z.string(),
});

const codeSchema = z.object({
  sha256: z.string(),
  clientId: z.string(),
  confidential: z.boolean(),
  redirectUri: z.string(),
  user: z.string(),
  scope: z.string(),
  challenge: z.optional(z.object({ value: z.string(), method: z.enum(['S256', 'plain']) })),
  nonce: z.optional(z.string()),
  claims: z.optional(z.string()),
  expiresAt: z.number(),
  redeemed: z.boolean(),
});

const deviceCodeSchema = z.object({
  sha256: z.string(),
  /** what the person types, upper case */
  userCode: z.string(),
  clientId: z.string(),
  scope: z.string(),
  expiresAt: z.number(),
  state: z.enum(['pending', 'accepted', 'declined', 'redeemed']),
  /** the user who signed in with it */
  user: z.optional(z.string()),
  /** how often the app has asked */
  polls: z.number(),
});

const refreshSchema = z.object({
  sha256: z.string(),
  clientId: z.string(),
  confidential: z.boolean(),
  user: z.string(),
  scope: z.string(),
  issuedAt: z.number(),
});

const consentSchema = z.object({ clientId: z.string(), user: z.string(), scopes: z.array(z.string()) });

/** What was changed in Exchange Online; everything else there is as it is from the start. */
const exchangeSchema = z.object({
  /** by mailbox: its own switches, where somebody set them */
  switches: z.record(
    z.string(),
    z.object({ imap: z.optional(z.boolean()), pop: z.optional(z.boolean()), smtpDisabled: z.optional(z.nullable(z.boolean())) }),
  ),
  /** `granted` false: a right from the start that was taken away. `who` in lower case: an address or an object id */
  rights: z.array(z.object({ mailbox: z.string(), who: z.string(), right: z.enum(['FullAccess', 'SendAs']), granted: z.boolean() })),
  principals: z.array(z.object({ appId: z.string(), objectId: z.string(), name: z.string() })),
  scopes: z.array(z.object({ name: z.string(), filter: z.string() })),
  roles: z.array(z.object({ name: z.string(), appId: z.string(), scope: z.string() })),
  /** Enable-OrganizationCustomization was run */
  customized: z.boolean(),
});

/** Everything in the state file of the sandbox. */
export const stateSchema = z.object({
  version: z.literal(1),
  apps: z.array(appSchema),
  consents: z.array(consentSchema),
  codes: z.array(codeSchema),
  refreshTokens: z.array(refreshSchema),
  deviceCodes: z._default(z.array(deviceCodeSchema), () => []),
  servicePrincipals: z._default(z.array(servicePrincipalSchema), () => []),
  grants: z._default(z.array(grantSchema), () => []),
  roleAssignments: z._default(z.array(roleAssignmentSchema), () => []),
  deletedApps: z._default(z.array(z.object({ app: appSchema, deletedAt: z.number() })), () => []),
  /** the domain that each tenant besides Contoso was found by: its pages offer accounts of it */
  domains: z._default(z.record(z.string(), z.string()), () => ({})),
  exchange: z._default(exchangeSchema, () => ({ switches: {}, rights: [], principals: [], scopes: [], roles: [], customized: false })),
  /** the secret of the ready confidential app; every command must know it, and it opens nothing but this sandbox */
  readySecret: z.string(),
});

export type Registration = z.infer<typeof registrationSchema>;
export type StoredCertificate = z.infer<typeof certificateSchema>;
export type RoleAssignment = z.infer<typeof roleAssignmentSchema>;
export type StoredSecret = z.infer<typeof secretSchema>;
export type ServicePrincipal = z.infer<typeof servicePrincipalSchema>;
export type PermissionGrant = z.infer<typeof grantSchema>;
export type App = z.infer<typeof appSchema>;
export type Code = z.infer<typeof codeSchema>;
export type DeviceCode = z.infer<typeof deviceCodeSchema>;
export type State = z.infer<typeof stateSchema>;

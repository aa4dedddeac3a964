import { thumbprintsOf } from '../../core/hashes.ts';
import { rfc3339 } from '../../core/time.ts';
import { registrationOf } from '../tenant/app-objects.ts';
import { tenant, type User } from '../tenant/directory.ts';
import { type ResourceApp, servicePrincipalIdOf } from '../tenant/microsoft-resources.ts';
import type {
  App,
  PermissionGrant,
  RoleAssignment,
  ServicePrincipal,
  State,
  StoredCertificate,
  StoredSecret,
} from '../tenant/state-schema.ts';
import type { Entity, Row } from './graph-query.ts';

/** A time as Graph writes it: its fraction of a second has no digits or seven (recorded). */
function graphTime(ms: number): string {
  const fraction = ms % 1000;
  return fraction === 0 ? rfc3339(ms) : rfc3339(ms).replace('Z', `.${String(fraction).padStart(3, '0')}0000Z`);
}

/** Graph gives arrays back in another order than they were sent in (recorded). */
const reordered = <T>(items: readonly T[]): readonly T[] => [...items].reverse();

export const applicationEntity: Entity = {
  set: 'applications',
  type: 'application',
  filterable: ['id', 'appId', 'displayName', 'signInAudience', 'tags'],
};
export const servicePrincipalEntity: Entity = {
  set: 'servicePrincipals',
  type: 'servicePrincipal',
  filterable: ['id', 'appId', 'displayName', 'servicePrincipalType', 'tags'],
};
export const grantEntity: Entity = {
  set: 'oauth2PermissionGrants',
  type: 'oAuth2PermissionGrant',
  filterable: ['id', 'clientId', 'resourceId', 'consentType', 'principalId'],
};

/**
 * An application as Graph shows it (learn.microsoft.com/graph/api/resources/application). `withKeys`: the keys of its certificates are null but
 * where `$select` asks for nothing else of one application.
 */
export function applicationView(app: App, deletedAt?: number, withKeys = false): Row {
  const registration = registrationOf(app);
  const { implicit } = registration;
  return {
    id: registration.objectId,
    deletedDateTime: deletedAt === undefined ? null : graphTime(deletedAt),
    appId: app.clientId,
    applicationTemplateId: null,
    createdDateTime: graphTime(registration.createdAt),
    description: null,
    disabledByMicrosoftStatus: null,
    displayName: app.name,
    groupMembershipClaims: null,
    identifierUris: [],
    isDisabled: null,
    isFallbackPublicClient: registration.publicFallback,
    notes: null,
    optionalClaims: null,
    publisherDomain: registration.owner?.split('@')[1] ?? tenant.domains[0],
    serviceManagementReference: null,
    signInAudience: registration.audience,
    tags: registration.tags,
    appRoles: [],
    info: { logoUrl: null, marketingUrl: null, privacyStatementUrl: null, supportUrl: null, termsOfServiceUrl: null },
    ...registration.others,
    keyCredentials: (app.certificates ?? []).map((one) => certificateView(one, withKeys)),
    api: {
      acceptMappedClaims: null,
      knownClientApplications: [],
      requestedAccessTokenVersion: registration.tokenVersion,
      oauth2PermissionScopes: [],
      preAuthorizedApplications: [],
    },
    passwordCredentials: app.secrets.map(secretView),
    publicClient: { redirectUris: reordered(app.publicRedirects) },
    requiredResourceAccess: reordered(registration.permissions),
    spa: { redirectUris: registration.spaRedirects },
    web: {
      homePageUrl: null,
      logoutUrl: null,
      redirectUris: reordered(app.webRedirects),
      implicitGrantSettings: { enableAccessTokenIssuance: implicit.accessToken, enableIdTokenIssuance: implicit.idToken },
    },
  };
}

function certificateView(certificate: StoredCertificate, withKey: boolean): Row {
  return {
    customKeyIdentifier: certificate.identifier ?? thumbprintsOf(Buffer.from(certificate.key, 'base64')).sha1,
    displayName: certificate.name,
    endDateTime: graphTime(certificate.expiresAt),
    key: withKey ? certificate.key : null,
    keyId: certificate.id,
    startDateTime: graphTime(certificate.startsAt),
    type: 'AsymmetricX509Cert',
    usage: 'Verify',
  };
}

/** A secret without its text, which Graph shows only once, when the secret is made. */
export function secretView(secret: StoredSecret): Row {
  return {
    customKeyIdentifier: null,
    displayName: secret.name ?? null,
    endDateTime: graphTime(secret.expiresAt),
    hint: secret.hint ?? null,
    keyId: secret.id,
    secretText: null,
    startDateTime: secret.startsAt === undefined ? null : graphTime(secret.startsAt),
  };
}

export function servicePrincipalView(principal: ServicePrincipal, app: App): Row {
  return {
    ...principalBasics(principal.objectId, principal.appId, app.name),
    accountEnabled: principal.enabled !== false,
    createdDateTime: graphTime(principal.createdAt),
    appOwnerOrganizationId: registrationOf(app).tenantId ?? tenant.id,
    signInAudience: registrationOf(app).audience,
    replyUrls: [...app.publicRedirects, ...app.webRedirects],
    tags: principal.tags,
  };
}

/** Microsoft's own tenant, which owns Graph and Exchange Online. */
const microsoftTenant = 'f8cdef31-a31e-4b4a-93e4-5f571e91255a';

export function resourceView(resource: ResourceApp): Row {
  return {
    ...principalBasics(resource.objectId, resource.appId, resource.displayName),
    appOwnerOrganizationId: microsoftTenant,
    servicePrincipalNames: [resource.appId, ...resource.names],
    oauth2PermissionScopes: resource.scopes.map((one) => ({
      id: one.id,
      value: one.value,
      type: one.admin ? 'Admin' : 'User',
      isEnabled: true,
      adminConsentDisplayName: one.value,
      adminConsentDescription: one.value,
      userConsentDisplayName: one.value,
      userConsentDescription: one.value,
    })),
    appRoles: resource.roles.map((one) => ({
      id: one.id,
      value: one.value,
      allowedMemberTypes: ['Application'],
      displayName: one.value,
      description: one.value,
      isEnabled: true,
      origin: 'Application',
    })),
  };
}

/** The service principals of the ready apps, which the state does not list. */
export function readyPrincipalView(state: State, app: App): Row | undefined {
  const listed = state.servicePrincipals.some((one) => one.appId === app.clientId);
  const id = listed ? undefined : servicePrincipalIdOf(state, app.clientId);
  return id === undefined ? undefined : { ...principalBasics(id, app.clientId, app.name), appOwnerOrganizationId: tenant.id };
}

export function grantView(grant: PermissionGrant): Row {
  const { id, clientId, consentType, principalId, resourceId, scope } = grant;
  return { id, clientId, consentType, principalId, resourceId, scope };
}

export const assignmentEntity: Entity = {
  set: 'appRoleAssignments',
  type: 'appRoleAssignment',
  filterable: ['id', 'principalId', 'resourceId', 'appRoleId'],
};

export function assignmentView({ createdAt, ...assignment }: RoleAssignment): Row {
  return { ...assignment, createdDateTime: graphTime(createdAt), principalType: 'ServicePrincipal' };
}

export function userView(user: User): Row {
  return {
    '@odata.type': '#microsoft.graph.user',
    id: user.objectId,
    displayName: user.displayName,
    mail: user.address,
    userPrincipalName: user.address,
  };
}

function principalBasics(id: string, appId: string, displayName: string): Row {
  return {
    id,
    deletedDateTime: null,
    accountEnabled: true,
    appDisplayName: displayName,
    appId,
    appRoleAssignmentRequired: false,
    displayName,
    servicePrincipalNames: [appId],
    servicePrincipalType: 'Application',
    signInAudience: 'AzureADMultipleOrgs',
    replyUrls: [],
    tags: [],
    oauth2PermissionScopes: [],
    appRoles: [],
    passwordCredentials: [],
    keyCredentials: [],
  };
}

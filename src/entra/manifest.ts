import { defined } from '../core/defined.ts';
import type { Audience, PlannedCertificate, RegistrationPlan } from '../core/registration-plan.ts';

/** Well-known applications whose permissions a mail app is granted; the same in every cloud and tenant. */
export const resourceIds = {
  graph: '00000003-0000-0000-c000-000000000000',
  exchange: '00000002-0000-0ff1-ce00-000000000000',
} as const;
export type Resource = keyof typeof resourceIds;

/**
 * Ids of delegated permissions by resource. Graph's: learn.microsoft.com/graph/permissions-reference. Exchange Online's are printed
 * nowhere by Microsoft: registration reads them from the tenant and only checks them against this table.
 */
export const permissionIds: Readonly<Record<Resource, Readonly<Record<string, string>>>> = {
  graph: {
    'User.Read': 'e1fe6dd8-ba31-4d61-89e7-88639da4683d',
    openid: '37f7f235-527c-4136-accd-4a02d197296e',
    profile: '14dad69e-099b-42c9-810b-d002981feec1',
    email: '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0',
    offline_access: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182',
    'IMAP.AccessAsUser.All': '652390e4-393a-48de-9484-05f9b1212954',
    'POP.AccessAsUser.All': 'd7b7f2d9-0f45-4ea1-9d42-e50810c06991',
    'SMTP.Send': '258f6531-6087-4cc4-bb90-092c5fb3ed3f',
    'Mail.Send': 'e383f46e-2787-4529-855e-0e479a3ffac0',
    'Mail.Send.Shared': 'a367ab51-6b49-43bf-a716-a1fb06d2a174',
  },
  exchange: {
    'IMAP.AccessAsUser.All': '195adc35-e27b-454b-a7ed-1ecdffa1c09f',
    'POP.AccessAsUser.All': 'fb698133-92fa-453e-a9ed-688e10f2e5ac',
    'SMTP.Send': '76faac2a-0f20-42f1-928a-50de5b9dbe52',
  },
};

/** Ids of application permissions (`type: Role`) on Exchange Online; read from the tenant likewise. */
export const appRoleIds: Readonly<Record<string, string>> = {
  'IMAP.AccessAsApp': '5e5addcd-3e8d-4e90-baf5-964efab2b20a',
  'POP.AccessAsApp': 'cb842b43-da6e-4506-86fe-bb12199c656d',
  'SMTP.SendAsApp': '7146a1f0-8703-45b3-9eae-527a64c00995',
};

type SignInAudience = 'AzureADMyOrg' | 'AzureADMultipleOrgs' | 'AzureADandPersonalMicrosoftAccount' | 'PersonalMicrosoftAccount';

export const signInAudiences: Readonly<Record<Audience, SignInAudience>> = {
  single: 'AzureADMyOrg',
  multi: 'AzureADMultipleOrgs',
  'multi-and-personal': 'AzureADandPersonalMicrosoftAccount',
  personal: 'PersonalMicrosoftAccount',
};

export interface ResourceAccess {
  readonly resourceAppId: string;
  readonly resourceAccess: readonly { readonly id: string; readonly type: string }[];
}

/** A certificate on an application (learn.microsoft.com/graph/api/resources/keycredential): only its public half. */
interface KeyCredential {
  readonly type: 'AsymmetricX509Cert';
  readonly usage: 'Verify';
  readonly key: string;
  readonly displayName: string;
  readonly startDateTime: string;
  readonly endDateTime: string;
}

/** Body of `POST /applications` (learn.microsoft.com/graph/api/resources/application). */
export interface GraphApplicationBody {
  readonly displayName: string;
  readonly signInAudience: SignInAudience;
  readonly isFallbackPublicClient: boolean;
  readonly publicClient: { readonly redirectUris: readonly string[] };
  readonly web: {
    readonly redirectUris: readonly string[];
    readonly implicitGrantSettings: { readonly enableAccessTokenIssuance: boolean; readonly enableIdTokenIssuance: boolean };
  };
  readonly requiredResourceAccess: readonly ResourceAccess[];
  readonly tags: readonly string[];
  readonly keyCredentials?: readonly KeyCredential[];
  readonly api?: { readonly requestedAccessTokenVersion: 2 };
  readonly serviceManagementReference?: string;
}

const withPersonalAccounts = (audience: Audience): boolean => audience === 'personal' || audience === 'multi-and-personal';

/** `exchangeIds`: as this tenant's Exchange Online publishes them. Throws on a permission without an id: a guide's mistake. */
export function applicationBody(plan: RegistrationPlan, exchangeIds = permissionIds.exchange, roleIds = appRoleIds): GraphApplicationBody {
  const personal = withPersonalAccounts(plan.audience);
  return {
    displayName: fitting(plan.displayName, personal ? 90 : 120),
    // Left out, Graph takes the widest audience.
    signInAudience: signInAudiences[plan.audience],
    isFallbackPublicClient: plan.publicClientFlows,
    publicClient: { redirectUris: plan.platform === 'mobile-desktop' ? plan.redirectUris : [] },
    web: {
      redirectUris: plan.platform === 'web' ? plan.redirectUris : [],
      implicitGrantSettings: { enableAccessTokenIssuance: plan.implicitTokens, enableIdTokenIssuance: plan.implicitTokens },
    },
    requiredResourceAccess: [
      ...declared('graph', plan.graphPermissions, permissionIds.graph),
      ...declared('exchange', plan.exchangePermissions, exchangeIds),
      ...declared('exchange', plan.appRoles ?? [], roleIds, 'Role'),
    ],
    tags: [plan.tag],
    ...(plan.certificate === undefined ? {} : { keyCredentials: [keyCredential(plan.certificate, plan.tag)] }),
    ...defined({ serviceManagementReference: plan.serviceManagementReference }),
    // Entra refuses an audience with personal accounts and anything but 2.
    ...(personal ? { api: { requestedAccessTokenVersion: 2 } } : {}),
  };
}

/** The certificate as the application carries it; named so that it is recognised as this set-up's. */
const keyCredential = (certificate: PlannedCertificate, tag: string): KeyCredential => ({
  type: 'AsymmetricX509Cert',
  usage: 'Verify',
  key: certificate.der,
  displayName: `mailauth ${tag.replace(/^mailauth:/, '')}`,
  startDateTime: certificate.startsAt,
  endDateTime: certificate.expiresAt,
});

interface AppRoleAssignmentBody {
  readonly principalId: string;
  readonly resourceId: string;
  readonly appRoleId: string;
}

/** Body of `POST /servicePrincipals/{resourceId}/appRoleAssignedTo`. The first two are object ids of service principals. */
export const appRoleAssignmentBody = (clientSpId: string, resourceSpId: string, appRoleId: string): AppRoleAssignmentBody => ({
  principalId: clientSpId,
  resourceId: resourceSpId,
  appRoleId,
});

interface ServicePrincipalBody {
  readonly appId: string;
}

/** Body of `POST /servicePrincipals`. `appId`: the client id. */
export const servicePrincipalBody = (appId: string): ServicePrincipalBody => ({ appId });

interface GrantBody {
  readonly clientId: string;
  readonly consentType: 'AllPrincipals';
  readonly principalId: null;
  readonly resourceId: string;
  readonly scope: string;
}

/** Body of `POST /oauth2PermissionGrants`: consent for the whole tenant. Both ids are object ids of service principals, no client ids. */
export function grantBody(grant: { clientSpId: string; resourceSpId: string; scopes: readonly string[] }): GrantBody {
  return {
    clientId: grant.clientSpId,
    consentType: 'AllPrincipals',
    principalId: null,
    resourceId: grant.resourceSpId,
    scope: grant.scopes.join(' '),
  };
}

interface PasswordBody {
  readonly passwordCredential: { readonly displayName: string; readonly endDateTime: string };
}

/** Body of `POST /applications/{id}/addPassword`. `endDateTime`: RFC 3339, UTC. */
export const passwordBody = (secret: { displayName: string; endDateTime: string }): PasswordBody => ({
  passwordCredential: { displayName: secret.displayName, endDateTime: secret.endDateTime },
});

function declared(
  resource: Resource,
  names: readonly string[],
  ids: Readonly<Record<string, string>>,
  type: 'Scope' | 'Role' = 'Scope',
): readonly ResourceAccess[] {
  if (names.length === 0) return [];
  const resourceAccess = names.map((name) => {
    const id = ids[name];
    if (id === undefined) throw new Error(`no id for the permission ${name} on ${resource}`);
    return { id, type };
  });
  return [{ resourceAppId: resourceIds[resource], resourceAccess }];
}

/** Entra's limit of a display name: 120 characters, 90 with personal accounts (supported-accounts-validation). */
function fitting(name: string, limit: number): string {
  return name.length <= limit ? name : `${name.slice(0, limit - 1).replace(/\p{Cs}$/u, '')}…`;
}

import { azureCli, exchangeModule, findUser, isReady, type Role, type User } from '../tenant/directory.ts';
import { exchangeScope, preauthorized, resourceApps, resources, servicePrincipalIdOf } from '../tenant/microsoft-resources.ts';
import type { PermissionGrant, State } from '../tenant/state-schema.ts';
import { type AskedScope, consentKey } from './scope-rules.ts';

/**
 * Everything this user may use in this app, as consent keys: the user's own consent, and what an administrator granted
 * for everybody (Graph's oauth2PermissionGrants).
 */
export function consentedKeys(state: State, clientId: string, address: string): readonly string[] {
  if (clientId === azureCli.clientId) return preauthorizedKeys;
  if (clientId === exchangeModule.clientId) return [`outlook/${exchangeScope}`, 'openid/openid', 'openid/profile', 'openid/email'];
  const own = state.consents.find((one) => one.clientId === clientId && one.user === address)?.scopes ?? [];
  const principal = servicePrincipalIdOf(state, clientId);
  const person = findUser(address);
  const objectId = person.kind === 'user' ? person.user.objectId : undefined;
  const granted = state.grants
    .filter((one) => one.clientId === principal && (one.consentType === 'AllPrincipals' || one.principalId === objectId))
    .flatMap(keysOf);
  const all = new Set([...own, ...granted]);
  // User.Read ("Sign you in and read your profile") includes the sign-in itself, so its scopes need no consent of their own.
  if (all.has('graph/User.Read')) for (const name of ['openid', 'profile', 'email']) all.add(`openid/${name}`);
  return [...all];
}

/** Remembers what a user consented to on the page; the app gets its service principal, as in Entra. */
export function rememberConsent(state: State, clientId: string, user: User, scopes: readonly AskedScope[]): void {
  const mine = state.consents.find((one) => one.clientId === clientId && one.user === user.address);
  const all = [...new Set([...(mine?.scopes ?? []), ...scopes.map(consentKey)])];
  if (mine === undefined) state.consents.push({ clientId, user: user.address, scopes: all });
  else mine.scopes = all;
}

/**
 * Grants scopes for all users of the tenant. Each resource has one grant, and later consent adds to it (learn.microsoft.com,
 * v2-admin-consent).
 */
export function grantTenantWide(
  state: State,
  clientId: string,
  scopes: readonly AskedScope[],
  made: { readonly uuid: () => string; readonly now: number },
): void {
  let client = servicePrincipalIdOf(state, clientId);
  if (client === undefined) {
    client = made.uuid();
    state.servicePrincipals.push({ objectId: client, appId: clientId, createdAt: made.now, tags: [], lag: 0 });
  }
  for (const resource of [resources.graph, resources.outlook]) {
    const names = scopes.filter((one) => resourceOf(one) === resource).map((one) => one.name);
    if (names.length === 0) continue;
    const grant = state.grants.find(
      (one) => one.clientId === client && one.resourceId === resource.objectId && one.consentType === 'AllPrincipals',
    );
    const scope = [...new Set([...words(grant?.scope ?? ''), ...names])].join(' ');
    if (grant !== undefined) grant.scope = scope;
    else {
      const more = { resourceId: resource.objectId, consentType: 'AllPrincipals', principalId: null, scope } as const;
      state.grants.push({ id: made.uuid().replaceAll('-', ''), clientId: client, ...more });
    }
  }
}

/**
 * Scopes that users may not consent to by default (learn.microsoft.com, manage-app-consent-policies: "Let Microsoft manage your consent
 * settings").
 */
const managedByMicrosoft = ['IMAP.AccessAsUser.All', 'POP.AccessAsUser.All', 'EAS.AccessAsUser.All', 'EWS.AccessAsUser.All'];

/**
 * Does this tenant forbid the user to consent to these scopes? The page is then "Need admin approval" (AADSTS90094).
 * The two ready apps are exempt, so that a first run needs no administrator.
 */
export function consentBlocked(clientId: string, roles: readonly Role[], missing: readonly AskedScope[]): boolean {
  if (isReady(clientId) || roles.length > 0) return false;
  return missing.some((scope) => {
    if (scope.resource === 'outlook') return managedByMicrosoft.includes(scope.name);
    return resources.graph.scopes.some((one) => one.value === scope.name && one.admin);
  });
}

/** Consent keys of everything that is preauthorized for Azure CLI. */
const preauthorizedKeys: readonly string[] = [
  ...preauthorized.map((name) => `graph/${name}`),
  ...['openid', 'profile', 'email', 'offline_access'].map((name) => `openid/${name}`),
];

function resourceOf(scope: AskedScope) {
  return scope.resource === 'outlook' ? resources.outlook : resources.graph;
}

function keysOf(grant: PermissionGrant): readonly string[] {
  const resource = resourceApps.find((one) => one.objectId === grant.resourceId);
  if (resource === undefined) return [];
  return words(grant.scope).map((name) => {
    if (resource === resources.outlook) return `outlook/${name}`;
    return ['openid', 'profile', 'email', 'offline_access'].includes(name) ? `openid/${name}` : `graph/${name}`;
  });
}

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}

import type { Aadsts, Blanks } from '../faults/entra-refusals.ts';
import { azureCli, exchangeModule, isMicrosofts, stableGuid, tenant } from './directory.ts';
import { exchangeScope, preauthorized, resourceApps } from './microsoft-resources.ts';
import type { App, Registration, State } from './state-schema.ts';

const firstParty: readonly App[] = [azureCli, exchangeModule].map(({ clientId, name, redirectUri }) => ({
  ...{ clientId, name, publicRedirects: [redirectUri], webRedirects: [], secrets: [] },
}));

/** The application of a client id: one of the tenant's, or one of Microsoft's own. */
export function findApp(state: State, clientId: string): App | undefined {
  const id = clientId.toLowerCase();
  return [...firstParty, ...state.apps].find((one) => one.clientId === id);
}

export function isFirstParty(app: App): boolean {
  return isMicrosofts(app.clientId);
}

/** An app's registration; the ready apps have none of their own and are multi-tenant, so that every endpoint can be tried with them. */
export function registrationOf(app: App): Registration {
  return (
    app.registration ?? {
      objectId: stableGuid(`application ${app.clientId}`),
      createdAt: Date.UTC(2026, 0, 1),
      owner: null,
      audience: 'AzureADMultipleOrgs',
      publicFallback: app.publicRedirects.length > 0,
      tags: [],
      spaRedirects: [],
      implicit: { accessToken: false, idToken: false },
      permissions: [],
      tokenVersion: null,
      others: {},
      lag: { application: 0, servicePrincipal: 0 },
    }
  );
}

/** The domain that a tenant was found by. */
export const domainIn = (state: State, tenantId: string = tenant.id): string => state.domains[tenantId] ?? tenant.domains[0];

/** Was the app registered in this tenant? The ready apps are in every one. */
export function belongsTo(app: App, tenantId: string | undefined): boolean {
  const { tenantId: own } = registrationOf(app);
  return own === undefined || tenantId === undefined || own === tenantId;
}

/** Deactivated by its owner, or switched off in the tenant: nobody gets a token. */
export const isSwitchedOff = (state: State, app: App): boolean =>
  app.registration?.others.isDisabled === true ||
  state.servicePrincipals.some((one) => one.appId === app.clientId && one.enabled === false);

/** What `.default` stands for: the delegated permissions that the registration declares, or undefined where it declares none. */
export function declaredScopes(app: App): ((resource: 'graph' | 'outlook') => readonly string[]) | undefined {
  if (app.clientId === azureCli.clientId) return (resource) => (resource === 'graph' ? preauthorized : []);
  if (app.clientId === exchangeModule.clientId) return (resource) => (resource === 'outlook' ? [exchangeScope] : []);
  if (app.registration === undefined) return undefined;
  const { permissions } = app.registration;
  return (resource) => {
    const [graph, exchange] = resourceApps;
    const wanted = resource === 'graph' ? graph : exchange;
    const ids = permissions.filter((one) => one.resourceAppId === wanted?.appId).flatMap((one) => one.resourceAccess.map((two) => two.id));
    return wanted?.scopes.filter((scope) => ids.includes(scope.id)).map((scope) => scope.value) ?? [];
  };
}

/** Refuses what Microsoft did not preauthorize for its own apps, which may ask for `.default` of their own service only (AADSTS65002). */
export function preauthorizationRefuses(app: App, scope: string): { readonly aadsts: Aadsts; readonly blanks: Blanks } | undefined {
  if (!isFirstParty(app)) return undefined;
  const oidc = ['openid', 'profile', 'email', 'offline_access'];
  const own = app.clientId === azureCli.clientId ? /(?:graph[^/]*)\/+\.default$/i : /(?:outlook\.office365\.com|exchange)\/+\.default$/i;
  const other = scope.split(/\s+/).find((one) => one !== '' && !oidc.includes(one.toLowerCase()) && !own.test(one));
  return other === undefined ? undefined : { aadsts: 65002, blanks: { client: app.clientId, resource: other } };
}

/** Refuses an endpoint that the app's audience may not use (learn.microsoft.com, supported-accounts-validation). */
export function audienceRefuses(
  app: App,
  named: string,
  tenantId?: string,
): { readonly aadsts: Aadsts; readonly blanks: Blanks } | undefined {
  const { audience } = registrationOf(app);
  if (audience === 'AzureADMyOrg' && !belongsTo(app, tenantId)) return { aadsts: 700016, blanks: { client: app.clientId } };
  const blanks = { client: app.clientId, app: app.name };
  if (audience === 'PersonalMicrosoftAccount') return { aadsts: 9002331, blanks };
  const shared = ['common', 'organizations'].includes(named.toLowerCase());
  return shared && audience === 'AzureADMyOrg' ? { aadsts: 50194, blanks } : undefined;
}

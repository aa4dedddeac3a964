import { defined } from '../../core/defined.ts';
import { refused } from '../faults/entra-refusals.ts';
import { changedClaims } from '../faults/faults.ts';
import { adminRefusalOf, refusalOf } from '../faults/faults-token.ts';
import { json, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { audienceRefuses, findApp, isFirstParty, isSwitchedOff } from '../tenant/app-objects.ts';
import { effectiveRoles, findTenant, homeTenantOf, isIn, tenant } from '../tenant/directory.ts';
import { rolesOfApp, servicePrincipalIdOf } from '../tenant/microsoft-resources.ts';
import type { State } from '../tenant/state-schema.ts';
import { clientInfo } from '../tenant/tokens.ts';
import { checkClient, type TokenForm } from './check-client.ts';
import { deviceGrant, redeemDevice } from './device-code.ts';
import { html, refuser } from './replies.ts';
import { errorPage } from './sign-in-pages.ts';
import { type Granted, redeemCode, redeemPassword, redeemRefresh, type Setting } from './token-grants.ts';

interface AppOnly {
  readonly kind: 'app-only';
  readonly tenantId: string;
  readonly clientId: string;
  /** object id of its service principal */
  readonly objectId: string | undefined;
  readonly roles: readonly string[];
  readonly audience: string;
}

/** `POST /{tenant}/oauth2/v2.0/token` (RFC 6749 section 3.2). Unknown parameters, such as MSAL's, are ignored. */
export async function tokenEndpoint(service: Service, named: string, request: SandboxRequest): Promise<SandboxReply> {
  const form = Object.fromEntries(new URLSearchParams(request.body));
  const refuse = refuser(service, request);
  if (service.fault === 'token-unavailable') return refuse(90033);
  if (service.fault === 'token-page') return html(200, errorPage('Welcome to the guest network.'));
  if (service.fault === 'throttled') return refuse(90055, {}, { 'retry-after': '5' });
  const found = findTenant(named);
  // The sandbox has no personal accounts. Only the password grant knows `consumers`, to say that it does not work there.
  const consumers = named.toLowerCase() === 'consumers' && form.grant_type === 'password';
  if (found.kind !== 'found' && !consumers) return refuse(found.kind === 'unknown' ? 90002 : 900023, { tenant: named });
  for (const parameter of ['grant_type', 'client_id']) if ((form[parameter] ?? '') === '') return refuse(900144, { parameter });

  const setting: Setting = {
    now: service.ctx.clock.now(),
    graph: service.addresses.graph,
    fault: service.fault,
    newRefreshToken: service.mint.refreshToken,
  };
  const tenantId = found.kind === 'found' ? found.id : undefined;
  const outcome = await service.state.change((state) => judge(state, named, tenantId, form, setting));
  if (outcome.kind === 'said') return json(400, { error: outcome.error, error_description: 'OAuth 2.0 device flow error.' });
  if (outcome.kind === 'refused') return refuse(outcome.aadsts, outcome.blanks);
  if (outcome.kind === 'app-only') return appOnly(service, outcome);
  const { address } = outcome.user;
  if (!isIn(tenantId, address))
    return refuse(50020, { user: address, domain: address.slice(address.indexOf('@') + 1), client: outcome.app.clientId });
  return delegated(service, outcome, tenantId ?? homeTenantOf(address), form.client_info === '1');
}

function judge(state: State, named: string, tenantId: string | undefined, form: TokenForm, setting: Setting) {
  const clientId = form.client_id ?? '';
  const app = findApp(state, clientId);
  // A fault concerns the registered app. An administrator can always sign in as Azure CLI, so that the fault is reached.
  if (app === undefined || (setting.fault === 'client-unknown' && !isFirstParty(app))) return refused(700016, { client: clientId });
  const fault = isFirstParty(app) ? adminRefusalOf(setting.fault) : refusalOf(setting.fault);
  const blanks = { client: clientId, app: app.name, tenant: named, state: 'unmanaged', resource: setting.graph };
  if (fault !== undefined) return refused(fault, blanks);
  if (isSwitchedOff(state, app)) return refused(7000112, { client: clientId });
  const audience = audienceRefuses(app, named, tenantId);
  if (audience !== undefined) return refused(audience.aadsts, audience.blanks);
  switch (form.grant_type) {
    case 'password':
      return redeemPassword(state, app, named, form, setting);
    case 'authorization_code':
      return redeemCode(state, app, form, setting);
    // Entra takes both; msal-node sends the short one (recorded).
    case 'device_code':
    case deviceGrant:
      return redeemDevice(state, app, form, setting);
    case 'refresh_token':
      return redeemRefresh(state, app, form, setting);
    case 'client_credentials': {
      const client = checkClient(app, true, form, setting);
      if (client !== undefined) return client;
      const scope = form.scope ?? '';
      if (!scope.endsWith('/.default')) return refused(1002012, { scope });
      const roles = setting.fault === 'app-roles-missing' ? [] : rolesOfApp(state, app);
      const objectId = servicePrincipalIdOf(state, app.clientId);
      const audience = scope.slice(0, -'/.default'.length);
      return { kind: 'app-only', tenantId: tenantId ?? tenant.id, clientId: app.clientId, objectId, roles, audience } satisfies AppOnly;
    }
    default:
      return refused(70003, { grant: form.grant_type ?? '' });
  }
}

function delegated(service: Service, granted: Granted, tenantId: string, withClientInfo: boolean): SandboxReply {
  const { mint } = service;
  const expiresIn = lifetime(service);
  const { app, user } = granted;
  const fault = isFirstParty(app) ? undefined : service.fault;
  const readsOnly = isFirstParty(app) && service.fault === 'graph-permission-missing';
  const issuer = `${service.addresses.login}/${tenantId}/v2.0`;
  const changed = changedClaims(fault, Math.floor(service.ctx.clock.now() / 1000));
  const accessToken = mint.accessToken({
    user,
    tenantId,
    clientId: app.clientId,
    appName: app.name,
    confidential: granted.confidential,
    audience: granted.audience,
    scopes: readsOnly ? ['User.Read', 'Directory.Read.All'] : granted.scopes,
    wrong: { ...changed.access, ...contextsOf(granted) },
    roles: effectiveRoles(user.address, service.fault).map((role) => role.id),
    expiresIn,
  });
  const idToken = { user, tenantId, clientId: app.clientId, issuer, nonce: granted.nonce, expiresIn: 3600, wrong: changed.identity };
  return json(200, {
    token_type: 'Bearer',
    scope: granted.scopeText,
    expires_in: expiresIn,
    ext_expires_in: expiresIn,
    access_token: accessToken,
    ...defined({
      refresh_token: service.fault === 'no-refresh-token' ? undefined : granted.refreshToken,
      id_token: granted.wantsIdToken ? mint.idToken(idToken) : undefined,
      client_info: withClientInfo ? clientInfo(user, tenantId) : undefined,
    }),
  });
}

/** The authentication contexts that the sign-in was asked for (learn.microsoft.com, claims-challenge): `acrs` of the access token. */
function contextsOf({ claims = '' }: Granted): { readonly acrs?: readonly string[] } {
  const [, context] = /"acrs":\{"essential":true,"value":"(c\d+)"/.exec(claims) ?? [];
  return context === undefined ? {} : { acrs: [context] };
}

function appOnly(service: Service, granted: AppOnly): SandboxReply {
  const expiresIn = 3599;
  const token = service.mint.appToken({ ...granted, expiresIn });
  return json(200, { token_type: 'Bearer', expires_in: expiresIn, ext_expires_in: expiresIn, access_token: token });
}

/** Random between 60 and 90 minutes, as Entra does it (learn.microsoft.com, access-tokens). Seconds. */
function lifetime(service: Service): number {
  return service.tokenSeconds ?? 3600 + (service.ctx.random.bytes(2).readUInt16BE(0) % 1800);
}

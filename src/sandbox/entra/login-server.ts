import { exchangeEndpoint } from '../exchange/exchange-server.ts';
import { graphEndpoint } from '../graph/graph-server.ts';
import { decodeSegment, json, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { findTenant, tenant } from '../tenant/directory.ts';
import { deviceCodeEndpoint } from './device-code.ts';
import { html, refuser } from './replies.ts';
import { errorPage } from './sign-in-pages.ts';
import { tokenEndpoint } from './token-endpoint.ts';

/** Every route of the https server: the v2 endpoints, Graph, Exchange Online, and the sandbox's own ping. */
export async function loginServer(service: Service, request: SandboxRequest): Promise<SandboxReply> {
  const { method, path } = request;
  if (path === '/sandbox/ping') return json(200, { sandbox: 'mailauth', nonce: service.nonce, seen: service.seen });
  if (path.startsWith('/exchange/')) return exchangeEndpoint(service, request);
  if (path.startsWith('/graph/')) return graphEndpoint(service, request);
  const [, named = '', rest = ''] = /^\/([^/]+)\/(.*)$/.exec(path) ?? [];
  const tenant = decodeSegment(named);
  switch (`${method} ${rest}`) {
    case 'GET v2.0/.well-known/openid-configuration':
      return openIdConfiguration(service, tenant, request);
    case 'GET discovery/v2.0/keys':
      return json(200, service.mint.publicKeys);
    case 'POST oauth2/v2.0/token':
      return tokenEndpoint(service, tenant, request);
    case 'POST oauth2/v2.0/devicecode':
      return deviceCodeEndpoint(service, tenant, request);
    case 'GET oauth2/v2.0/authorize':
    case 'GET v2.0/adminconsent':
      return { status: 302, headers: { location: `${service.addresses.pages}${request.target}` }, body: '' };
    default:
      return json(404, { error: 'not_found', error_description: `The sandbox has nothing at ${method} ${path}.` });
  }
}

/**
 * `GET /{tenant}/v2.0/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 4), fields as Entra's v2 document has them.
 */
async function openIdConfiguration(service: Service, named: string, request: SandboxRequest): Promise<SandboxReply> {
  const found = findTenant(named);
  if (found.kind !== 'found') return refuser(service, request)(found.kind === 'unknown' ? 90002 : 900023, { tenant: named });
  const id = found.id ?? tenant.id;
  await rememberDomain(service, id, named.toLowerCase());
  const { login, pages, graph } = service.addresses;
  const { fault } = service;
  if (fault === 'discovery-busy') return json(503, { error: 'temporarily_unavailable' }, { 'retry-after': '30' });
  if (fault === 'discovery-page') return html(200, errorPage('Welcome to the guest network.'));
  const configuration = {
    token_endpoint: `${login}/${id}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${login}/${id}/discovery/v2.0/keys`,
    response_modes_supported: ['query'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
    issuer: `${login}/${id}/v2.0`,
    request_uri_parameter_supported: false,
    userinfo_endpoint: `${graph}/oidc/userinfo`,
    // Plain http on localhost: what a browser opens here needs no certificate (docs/contract.md, "Sandbox").
    authorization_endpoint: `${pages}/${id}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${login}/${id}/oauth2/v2.0/devicecode`,
    http_logout_supported: true,
    frontchannel_logout_supported: true,
    end_session_endpoint: `${pages}/${id}/oauth2/v2.0/logout`,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nonce', 'preferred_username', 'name', 'tid', 'ver', 'email'],
    tenant_region_scope: 'EU',
    cloud_instance_name: 'localhost',
    cloud_graph_host_name: 'localhost',
    msgraph_host: 'localhost',
  };
  return json(200, { ...configuration, ...wrongConfiguration(fault, login, id) });
}

/** A tenant of its own is known again by its id. Which domain it has must be remembered. */
async function rememberDomain({ state }: Service, id: string, named: string): Promise<void> {
  if (id === tenant.id || id === named || (await state.read()).domains[id] !== undefined) return;
  await state.change((now) => {
    now.domains[id] = named;
  });
}

function wrongConfiguration(fault: Service['fault'], login: string, id: string): Readonly<Record<string, string>> {
  switch (fault) {
    case 'endpoints-foreign':
      return { token_endpoint: `https://login.elsewhere.example/${id}/oauth2/v2.0/token` };
    case 'endpoints-v1':
      return { token_endpoint: `${login}/${id}/oauth2/token` };
    case 'tenant-other-cloud':
      return { token_endpoint: `https://login.microsoftonline.us/${id}/oauth2/v2.0/token`, tenant_region_scope: 'USGov' };
    default:
      return {};
  }
}

import * as z from 'zod/mini';
import { type Cloud, type CloudName, cloudOfLoginHost, type Endpoints, isCloudName, type Tenant } from '../core/cloud.ts';
import type { HttpResponse, Network } from '../core/context.ts';
import { isEndpointOf } from '../core/endpoints.ts';
import { guidPattern, isGuid, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { entraProblem, readEntraError } from '../oauth/entra-error.ts';
import { retryAfterSeconds } from '../oauth/token-exchange.ts';

/** OpenID Connect Discovery 1.0 section 3, and Microsoft's own fields. */
const configuration = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  tenant_region_scope: z.catch(z.nullish(z.string()), undefined),
  tenant_region_sub_scope: z.catch(z.nullish(z.string()), undefined),
});
type Configuration = z.infer<typeof configuration>;

const guid = new RegExp(guidPattern, 'i');
const domain = /^(?=.{3,253}$)(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}\p{N}-]{2,63}$/u;
/** The tenant of all personal accounts (learn.microsoft.com/entra/identity-platform/access-tokens). */
const consumersId = '9188040d-6c67-4c5b-b112-36a304b66dad';
const words = ['organizations', 'common', 'consumers'];

interface Discovery {
  readonly network: Network;
  readonly cloud: Cloud;
  /** GUID, domain, `organizations`, `common` or `consumers` */
  readonly domainOrId: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * The tenant behind a domain or id, from its OpenID configuration, with its v2 endpoints checked.
 * Throws `tenant-malformed` (2), `tenant-unknown`, `tenant-other-cloud`, `endpoints-not-v2`, `endpoints-foreign`,
 * `discovery-unreadable` (1), `discovery-busy` and the network's own (5).
 */
export async function discoverTenant({ network, cloud, domainOrId, timeoutMs, signal }: Discovery): Promise<Tenant> {
  const asked = domainOrId.trim().toLowerCase();
  if (!isTenantWord(asked)) throw problem('tenant-malformed', { tenant: plain(domainOrId, 100) });
  const url = `${cloud.login}/${encodeURIComponent(asked)}/v2.0/.well-known/openid-configuration`;
  const response = await network.request({ method: 'GET', url, headers: { accept: 'application/json' }, timeoutMs, signal });
  const found = readConfiguration(response, url, asked, cloud);

  const elsewhere = otherCloud(found, cloud);
  if (elsewhere !== undefined) throw problem('tenant-other-cloud', { domain: asked, cloud: elsewhere });
  checkEndpoints(found, cloud, asked);
  const endpoints: Endpoints = { issuer: found.issuer, authorization: found.authorization_endpoint, token: found.token_endpoint };
  const id = tenantIdOf(found, asked);
  if (id === undefined) throw problem('discovery-unreadable', { domain: asked, url, why: 'names no tenant' });
  return { id, foundBy: asked, endpoints };
}

/** Is it a GUID, a domain or one of Microsoft's words? `--tenant` takes these. */
export function isTenantWord(tenant: string): boolean {
  return words.includes(tenant) || isGuid(tenant) || domain.test(tenant);
}

/** The name by which a mailbox's tenant is looked up: its domain, or `consumers` for Microsoft's personal mail domains. */
export function tenantForMailbox(mailbox: string): string {
  const at = mailbox.slice(mailbox.lastIndexOf('@') + 1).toLowerCase();
  const personal = /^(?:(?:outlook|hotmail|live)\.[a-z]{2,3}(?:\.[a-z]{2})?|(?:msn|passport|windowslive)\.com|msn\.cn)$/;
  return personal.test(at) ? 'consumers' : at;
}

function readConfiguration(response: HttpResponse, url: string, asked: string, cloud: Cloud): Configuration {
  const unreadable = (why: string) => problem('discovery-unreadable', { domain: asked, url, why });
  const { status } = response;
  const body = parse(response.text);
  const refusal = readEntraError(body);
  if (refusal !== undefined && status >= 400 && status < 500 && status !== 429) {
    if (refusal.error === 'invalid_tenant') throw problem('tenant-unknown', { domain: asked, cloud });
    const told = entraProblem({ ...refusal, status }, { cloud, tenant: asked, clientId: '', scopes: [] });
    throw told.code === 'tenant-unknown' ? problem('tenant-unknown', { domain: asked, cloud }, { detail: told.detail }) : told;
  }
  if (status === 429 || status >= 500) {
    throw problem('discovery-busy', { domain: asked, status, retryAfter: retryAfterSeconds(response.headers) });
  }
  if (status !== 200) throw unreadable(status >= 300 && status < 400 ? 'leads to another page' : `answered ${status}`);
  const read = configuration.safeParse(body);
  if (!read.success) throw unreadable(body === undefined ? 'answered with a page, not with data' : 'answered without the endpoints');
  return read.data;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The cloud that the tenant belongs to, when it is another one. GCC is in the public cloud. GCC High and DoD share one sign-in host and
 * differ only in the sub scope.
 */
function otherCloud(found: Configuration, cloud: Cloud): CloudName | undefined {
  const home = homeCloud(found);
  if (home === undefined || home === cloud.name) return undefined;
  // DoD tenants say so by sub scope; without one the shared host proves nothing against `usgov-dod`.
  if (home === 'usgov' && cloud.name === 'usgov-dod' && !found.tenant_region_sub_scope) return undefined;
  const named = isCloudName(cloud.name);
  // A laboratory may copy the region of any tenant, but must not send people to Microsoft's hosts.
  return named || hostOf(found.token_endpoint) !== hostOf(cloud.login) ? home : undefined;
}

function homeCloud(found: Configuration): CloudName | undefined {
  const sub = found.tenant_region_sub_scope?.toUpperCase();
  if (sub === 'DOD') return 'usgov-dod';
  if (sub === 'DODCON' || /^USG(?:OV)?$/i.test(found.tenant_region_scope ?? '')) return 'usgov';
  return cloudOfLoginHost(hostOf(found.token_endpoint) ?? '');
}

function checkEndpoints(found: Configuration, cloud: Cloud, asked: string): void {
  for (const [kind, endpoint] of Object.entries({ token: found.token_endpoint, authorization: found.authorization_endpoint })) {
    const shown = plain(endpoint, 200);
    // Pages of the sandbox are http; tokens never go there.
    const isSandbox = kind === 'authorization' && cloud.name === 'sandbox' && endpoint.startsWith('http:');
    if (!isEndpointOf(endpoint, { login: cloud.login, isSandbox })) {
      throw problem('endpoints-foreign', { domain: asked, endpoint: shown, login: cloud.login });
    }
    if (!new URL(endpoint).pathname.includes('/oauth2/v2.0/')) throw problem('endpoints-not-v2', { domain: asked, endpoint: shown });
  }
  const issuer = URL.canParse(found.issuer) ? new URL(found.issuer) : undefined;
  if (issuer === undefined) throw problem('endpoints-not-v2', { domain: asked, endpoint: plain(found.issuer, 200) });
  const microsofts = issuer.hostname === 'sts.windows.net' || cloudOfLoginHost(issuer.hostname) !== undefined;
  if (microsofts && !/\/v2\.0\/?$/.test(issuer.pathname))
    throw problem('endpoints-not-v2', { domain: asked, endpoint: plain(found.issuer, 200) });
}

function tenantIdOf(found: Configuration, asked: string): string | undefined {
  if (asked === 'consumers') return consumersId;
  const id = guid.exec(found.issuer)?.[0] ?? guid.exec(found.token_endpoint)?.[0] ?? guid.exec(asked)?.[0];
  return id?.toLowerCase() ?? (words.includes(asked) ? asked : undefined);
}

const hostOf = (address: string): string | undefined => (URL.canParse(address) ? new URL(address).host : undefined);

import { namedCloud } from '../../../src/core/cloud.ts';
import type { Clock, HttpRequest, HttpResponse, Network } from '../../../src/core/context.ts';
import { mailauth } from '../../../src/core/next.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createGraph, type GraphDeps } from '../../../src/entra/graph.ts';
import { permissionIds, resourceIds } from '../../../src/entra/manifest.ts';
import { problem } from '../../../src/errors/problem.ts';
import { testContext } from '../../support/context.ts';

type Json = Record<string, unknown>;
interface App extends Json {
  id: string;
  appId: string;
  displayName: string;
  tags: string[];
  passwordCredentials: { keyId: string; displayName: string; endDateTime: string }[];
}
interface Grant {
  id: string;
  clientId: string;
  resourceId: string;
  consentType: string;
  scope: string;
}

export const refused = (status: number, code: string, message = code, details: readonly string[] = []) => ({
  status,
  body: { error: { code, message, details: details.map((one) => ({ code: one })), innerError: { 'request-id': 'req-1' } } },
});

export interface Canned {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** A tenant in memory that answers as Microsoft Graph does, strict about what it is sent. */
export class FakeGraph {
  readonly apps: App[] = [];
  readonly sps: { id: string; appId: string }[] = [];
  readonly grants: Grant[] = [];
  readonly log: { readonly line: string; readonly body: unknown }[] = [];
  /** first match wins; undefined: answer as usual */
  intercept: (line: string, nth: number) => Canned | undefined = () => undefined;
  /** done in the tenant, but the answer never arrives */
  lose: (line: string, nth: number) => Canned | 'cut' | undefined = () => undefined;
  /** how many times a new object is not found before it is */
  lag = { principal: 0, application: 0, tag: 0, secret: 0 };
  /** by key id: how many reads still leave the secret out, and how many removals do not find it */
  readonly hidden = new Map<string, number>();
  exchange = true;
  exchangeScopes: Record<string, string> = { ...permissionIds.exchange };
  #made = 0;

  constructor() {
    this.sps.push({ id: 'sp-graph', appId: resourceIds.graph });
  }

  lines(): string[] {
    return this.log.map((one) => one.line.replace(/\?.*/, ''));
  }

  request = async (request: HttpRequest): Promise<HttpResponse> => {
    if (request.headers?.authorization !== 'Bearer admin-token' && !request.headers?.authorization?.includes('.'))
      throw new Error('no token');
    const url = new URL(request.url);
    if (!url.pathname.startsWith('/v1.0/')) throw new Error(`no such base: ${request.url}`);
    const line = `${request.method} ${decodeURIComponent(url.pathname.slice(5))}${decodeURIComponent(url.search)}`;
    if (request.body !== undefined && request.headers?.['content-type'] !== 'application/json') throw new Error('body without its type');
    const body: unknown = request.body === undefined ? undefined : JSON.parse(request.body);
    this.log.push({ line, body });
    const nth = this.log.filter((one) => one.line === line).length;
    const forced = this.intercept(line, nth);
    if (forced !== undefined) return send(forced);
    const answer = this.answer(request.method, url, (body ?? {}) as Json);
    const lost = this.lose(line, nth);
    if (lost === 'cut') throw problem('connection-closed', { host: url.host, port: 443 });
    return send(lost ?? answer);
  };

  private answer(method: string, url: URL, body: Json): Canned {
    const [, , collection = '', rest = '', action = ''] =
      /^\/v1\.0(\/([a-zA-Z0-9]+)(?:\/([^/]+))?(?:\/([^/]+))?)/.exec(decodeURIComponent(url.pathname)) ?? [];
    const byAppId = /\/servicePrincipals\(appId='([^']+)'\)$/.exec(decodeURIComponent(url.pathname))?.[1];
    if (byAppId !== undefined && method === 'GET') return this.principal(byAppId);
    if (collection === 'applications') return this.applications(method, rest, action, url, body);
    if (collection === 'servicePrincipals' && method === 'POST') return this.makePrincipal(String(body.appId));
    if (collection === 'servicePrincipals' && method === 'DELETE') return drop(this.sps, rest);
    if (collection === 'oauth2PermissionGrants') return this.permissionGrants(method, rest, url, body);
    return refused(400, 'BadRequest', `Resource not found for the segment '${url.pathname}'.`);
  }

  private applications(method: string, id: string, action: string, url: URL, body: Json): Canned {
    if (id === '' && method === 'POST') {
      if (typeof body.signInAudience !== 'string' || 'passwordCredentials' in body) return refused(400, 'Request_BadRequest');
      const app = { ...body, id: this.next('app'), appId: this.next('client'), passwordCredentials: [] } as unknown as App;
      this.apps.push(app);
      return { status: 201, body: structuredClone(app) };
    }
    if (id === '') return this.listApplications(url);
    const app = this.apps.find((one) => one.id === id);
    if (app === undefined || this.lag.application-- > 0) return refused(404, 'Request_ResourceNotFound', `Resource '${id}' does not exist`);
    if (action === 'addPassword') return this.addPassword(app, body);
    if (action === 'removePassword') {
      const at = app.passwordCredentials.findIndex((one) => one.keyId === body.keyId);
      if (at < 0 || this.isHidden(String(body.keyId)))
        return refused(400, 'Request_BadRequest', `No password credential found with keyId.`);
      app.passwordCredentials.splice(at, 1);
      return { status: 204 };
    }
    if (action === 'owners') return { status: 200, body: { value: (app.owners as Json[]) ?? [] } };
    if (method === 'GET') return { status: 200, body: this.shown(app) };
    if (method === 'DELETE') return drop(this.apps, id);
    const web = body.web === undefined ? {} : { web: { ...(app.web as Json), ...(body.web as Json) } };
    Object.assign(app, body, web);
    return { status: 204 };
  }

  private listApplications(url: URL): Canned {
    const filter = url.searchParams.get('$filter') ?? '';
    const wanted = /^tags\/any\(t:t eq '([^']+)'\)$/.exec(filter)?.[1];
    const name = /^displayName eq '(.+)'$/.exec(filter)?.[1]?.replaceAll("''", "'");
    if (wanted === undefined && name === undefined) return refused(400, 'Request_UnsupportedQuery');
    const found = this.apps.filter((one) => (wanted === undefined ? one.displayName === name : one.tags.includes(wanted)));
    if (found.length > 0 && this.lag.tag-- > 0) return { status: 200, body: { value: [] } };
    return { status: 200, body: { value: found.map((one) => this.shown(one)) } };
  }

  private isHidden(keyId: string): boolean {
    const left = this.hidden.get(keyId) ?? 0;
    this.hidden.set(keyId, left - 1);
    return left > 0;
  }

  /** What a read shows: writes of a moment ago may be missing. */
  private shown(app: App): App {
    return structuredClone({ ...app, passwordCredentials: app.passwordCredentials.filter(({ keyId }) => !this.isHidden(keyId)) });
  }

  private addPassword(app: App, body: Json): Canned {
    const wanted = body.passwordCredential as { displayName: string; endDateTime: string };
    const made = { keyId: this.next('key'), ...wanted };
    app.passwordCredentials.push(made);
    this.hidden.set(made.keyId, this.lag.secret);
    return { status: 200, body: { ...made, secretText: `value-of-${made.keyId}`, hint: 'val' } };
  }

  private principal(appId: string): Canned {
    if (appId === resourceIds.exchange) {
      if (!this.exchange) return refused(404, 'Request_ResourceNotFound');
      const scopes = Object.entries(this.exchangeScopes).map(([value, id]) => ({ id, value }));
      return { status: 200, body: { id: 'sp-exchange', appId, oauth2PermissionScopes: scopes } };
    }
    const sp = this.sps.find((one) => one.appId === appId);
    return sp === undefined ? refused(404, 'Request_ResourceNotFound') : { status: 200, body: sp };
  }

  private makePrincipal(appId: string): Canned {
    if (!this.apps.some((one) => one.appId === appId) || this.lag.principal-- > 0) {
      return refused(400, 'Request_BadRequest', `The appId '${appId}' does not reference a valid application object.`, [
        'NoBackingApplicationObject',
      ]);
    }
    if (this.sps.some((one) => one.appId === appId)) return refused(409, 'Request_MultipleObjectsWithSameKeyValue');
    const sp = { id: this.next('sp'), appId };
    this.sps.push(sp);
    return { status: 201, body: sp };
  }

  private permissionGrants(method: string, id: string, url: URL, body: Json): Canned {
    if (method === 'GET') {
      const client = /^clientId eq '([^']+)' and consentType eq 'AllPrincipals'$/.exec(url.searchParams.get('$filter') ?? '')?.[1];
      return { status: 200, body: { value: this.grants.filter((one) => one.clientId === client) } };
    }
    if (method === 'DELETE') return drop(this.grants, id);
    if (method === 'PATCH') {
      const has = this.grants.find((one) => one.id === id);
      if (has === undefined) return refused(404, 'Request_ResourceNotFound');
      has.scope = String(body.scope);
      return { status: 204 };
    }
    const wanted = body as unknown as Grant;
    if (!this.sps.some((one) => one.id === wanted.clientId)) return refused(404, 'Request_ResourceNotFound');
    if (this.grants.some((one) => one.clientId === wanted.clientId && one.resourceId === wanted.resourceId)) {
      return refused(409, 'Request_MultipleObjectsWithSameKeyValue', 'Permission entry already exists.');
    }
    this.grants.push({ ...wanted, id: this.next('grant') });
    return { status: 201, body: this.grants.at(-1) };
  }

  private next(kind: string): string {
    this.#made += 1;
    return `${kind}-${this.#made}`;
  }
}

function send({ status, body, headers = {} }: Canned): HttpResponse {
  return { status, headers, text: body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body) };
}

function drop(list: { id: string }[], id: string): Canned {
  const at = list.findIndex((one) => one.id === id);
  if (at < 0) return refused(404, 'Request_ResourceNotFound');
  list.splice(at, 1);
  return { status: 204 };
}

/** A clock on which sleeping takes no time; `slept` has the milliseconds. */
export function fakeClock(start = Date.parse('2026-11-22T03:00:00Z')): Clock & { slept: number[] } {
  const slept: number[] = [];
  let now = start;
  return {
    slept,
    now: () => now,
    monotonic: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

/** A JWT of nobody's: Graph's own tokens are not checked here either. */
export function tokenWith(claims: Json): Secret {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return new Secret(`${part({ alg: 'none' })}.${part(claims)}.x`);
}

export const commands = {
  resume: mailauth('setup', { resume: true, mailbox: 'a@b.c' }),
  undo: mailauth('logout', 'a@b.c', { deleteApp: true }),
};

export function connected(fake: Pick<FakeGraph, 'request'>, more: Partial<GraphDeps> = {}) {
  const clock = fakeClock();
  const waits: [string, number][] = [];
  const network: Network = { ...testContext().network, request: fake.request };
  const shared = { clock, signal: new AbortController().signal, onWait: (reason: string, ms: number) => waits.push([reason, ms]) };
  const graph = createGraph({
    network,
    cloud: namedCloud('public'),
    token: new Secret('admin-token'),
    random: { bytes: (count) => Buffer.alloc(count), uuid: () => '00000000-0000-4000-8000-000000000000' },
    timeoutMs: 1000,
    ...shared,
    ...more,
  });
  return { graph, clock, waits, deps: { graph, commands, ...shared } };
}

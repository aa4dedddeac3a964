import type { Aadsts, Blanks } from '../faults/entra-refusals.ts';
import type { Service } from '../server/service.ts';
import { audienceRefuses, declaredScopes, findApp, isFirstParty, preauthorizationRefuses } from '../tenant/app-objects.ts';
import { findTenant } from '../tenant/directory.ts';
import { platformOf } from '../tenant/redirects.ts';
import type { App, Code, State } from '../tenant/state-schema.ts';
import { type AskedScope, readScopes, scopeRefusal } from './scope-rules.ts';

/** A checked authorize request (RFC 6749 section 4.1.1): the app and where its answer goes. */
export interface Authorize {
  /** undefined: the tenant of whoever signs in */
  readonly tenantId: string | undefined;
  readonly app: App;
  readonly confidential: boolean;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly scope: string;
  readonly scopes: readonly AskedScope[];
  readonly prompt: string;
  readonly loginHint: string | undefined;
  readonly nonce: string | undefined;
  /** OpenID Connect Core section 5.5 */
  readonly claims: string | undefined;
  readonly challenge: Code['challenge'];
  /** the request's own address, for "Use another account" */
  readonly target: string;
}

type AuthorizeRead =
  | { readonly kind: 'ok'; readonly authorize: Authorize }
  /** Entra shows it and never redirects: the redirect URI cannot be trusted, or the app could not read the answer */
  | { readonly kind: 'shown'; readonly aadsts: Aadsts; readonly blanks: Blanks }
  /** Entra sends it to the app */
  | {
      readonly kind: 'sent';
      readonly redirectUri: string;
      readonly state: string | undefined;
      readonly aadsts: Aadsts;
      readonly blanks: Blanks;
    };

type Shown = Extract<AuthorizeRead, { kind: 'shown' }>;
const shown = (aadsts: Aadsts, blanks: Blanks = {}): Shown => ({ kind: 'shown', aadsts, blanks });

/** Judges an authorize request in Entra's order: tenant, application, redirect URI, and only then the rest. */
export function readAuthorize(service: Service, state: State, named: string, query: URLSearchParams, target: string): AuthorizeRead {
  const destination = readDestination(service, state, named, query);
  if (destination.kind === 'shown') return destination;
  const { tenantId, app, platform, redirectUri } = destination;
  const sent = (aadsts: Aadsts, blanks: Blanks = {}): AuthorizeRead => {
    return { kind: 'sent', redirectUri, state: query.get('state') ?? undefined, aadsts, blanks };
  };
  if (!answerable(query)) return shown(700054);
  const scope = query.get('scope') ?? '';
  const firstParty = preauthorizationRefuses(app, scope);
  if (firstParty !== undefined) return shown(firstParty.aadsts, firstParty.blanks);
  const read = readScopes(scope, service.addresses.graph, declaredScopes(app));
  if (read.kind !== 'ok') {
    const { aadsts, blanks } = scopeRefusal(read);
    return read.kind === 'empty' ? shown(aadsts, blanks) : sent(aadsts, blanks);
  }
  if (service.fault === 'no-exchange' && read.scopes.some((one) => one.resource === 'outlook')) return shown(650052);
  if (query.get('prompt') === 'none') return sent(50058);

  return {
    kind: 'ok',
    authorize: {
      tenantId,
      app,
      confidential: platform === 'web',
      redirectUri,
      state: query.get('state') ?? undefined,
      scope,
      scopes: read.scopes,
      prompt: query.get('prompt') ?? '',
      loginHint: query.get('login_hint') ?? undefined,
      nonce: query.get('nonce') ?? undefined,
      claims: query.get('claims') ?? undefined,
      challenge: challengeOf(query),
      target,
    },
  };
}

/** The app and its redirect URI: until both are known to belong together, an error is shown and never sent. */
function readDestination(service: Service, state: State, named: string, query: URLSearchParams) {
  const found = findTenant(named);
  if (found.kind !== 'found') return shown(found.kind === 'unknown' ? 90002 : 900023, { tenant: named });
  const clientId = query.get('client_id') ?? '';
  if (clientId === '') return shown(900144, { parameter: 'client_id' });
  const app = findApp(state, clientId);
  if (app === undefined || (service.fault === 'client-unknown' && !isFirstParty(app))) return shown(700016, { client: clientId });
  const audience = audienceRefuses(app, named, found.id);
  if (audience !== undefined) return shown(audience.aadsts, audience.blanks);
  if (app.publicRedirects.length + app.webRedirects.length === 0) return shown(500113);
  const redirectUri = query.get('redirect_uri') ?? '';
  const platform = platformOf(app, redirectUri);
  if (platform === undefined) return shown(50011, { redirect: redirectUri, client: clientId });
  return { kind: 'ok', tenantId: found.id, app, platform, redirectUri } as const;
}

/** Where the browser is sent: the redirect URI with these parameters added (RFC 6749 sections 4.1.2 and 4.1.2.1). */
export function answerAddress(redirectUri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.append(name, value);
  return url.href;
}

/** The sandbox answers only with a code in the query string. */
function answerable(query: URLSearchParams): boolean {
  return query.get('response_type') === 'code' && (query.get('response_mode') ?? 'query') === 'query';
}

function challengeOf(query: URLSearchParams): Code['challenge'] {
  const value = query.get('code_challenge');
  if (value === null || value === '') return undefined;
  return { value, method: query.get('code_challenge_method') === 'S256' ? 'S256' : 'plain' };
}

import { type Aadsts, type Blanks, entraError } from '../faults/entra-refusals.ts';
import { otherTenant } from '../faults/fault.ts';
import type { SandboxReply, SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { declaredScopes, domainIn, findApp } from '../tenant/app-objects.ts';
import { administratorsOf, effectiveRoles, findTenant, homeTenantOf, organizationOf, type User } from '../tenant/directory.ts';
import { platformOf } from '../tenant/redirects.ts';
import type { App, State } from '../tenant/state-schema.ts';
import { answerAddress } from './authorize.ts';
import { grantTenantWide } from './consents.ts';
import { html, readPicked, redirect, shownError } from './replies.ts';
import { type AskedScope, readScopes, scopeRefusal } from './scope-rules.ts';
import { accountPage, adminApprovalPage, organizationConsentPage } from './sign-in-pages.ts';

/** A checked admin-consent request (learn.microsoft.com, v2-admin-consent). */
interface AdminConsent {
  /** undefined: the tenant of whoever signs in */
  readonly tenantId: string | undefined;
  readonly app: App;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly scopes: readonly AskedScope[];
  /** the request's own address, for "Use another account" */
  readonly target: string;
}

/** An admin-consent page that is open in a browser. */
export interface AdminTicket {
  readonly kind: 'admin';
  readonly consent: AdminConsent;
  user?: User;
}

type Read =
  | { readonly kind: 'ok'; readonly consent: AdminConsent }
  | { readonly kind: 'shown'; readonly aadsts: Aadsts; readonly blanks: Blanks };

/** `GET /{tenant}/v2.0/adminconsent`: the picker, or the page that says what is wrong. `open` stores the ticket and returns its id. */
export async function beginAdminConsent(
  service: Service,
  named: string,
  request: SandboxRequest,
  open: (ticket: AdminTicket) => string,
): Promise<SandboxReply> {
  service.seen += 1;
  const state = await service.state.read();
  const read = readAdminConsent(service, state, named, request);
  if (read.kind === 'shown') return shownError(service, read.aadsts, read.blanks);
  const id = open({ kind: 'admin', consent: read.consent });
  return html(
    200,
    accountPage(id, read.consent.app.name, { accounts: administratorsOf(domainIn(state, read.consent.tenantId)) }),
    read.consent.redirectUri,
  );
}

/** After the account: what is asked for the organization, or the page for accounts that are not allowed to grant it. */
export function pickAdministrator(service: Service, id: string, ticket: AdminTicket, typed: string): SandboxReply {
  const { tenantId, app, redirectUri, scopes, target } = ticket.consent;
  const picked = readPicked(service, typed, { clientId: app.clientId, tenantId, again: target });
  if (picked.kind === 'shown') return picked.page;
  ticket.user = picked.user;
  const { address } = picked.user;
  if (!mayGrant(service, picked.user)) return html(200, adminApprovalPage(id, app.name, address), redirectUri);
  return html(
    200,
    organizationConsentPage(id, app.name, address, organizationOf(address.slice(address.indexOf('@') + 1)), scopes),
    redirectUri,
  );
}

/**
 * Accept grants it for all users, and everything else refuses. Both answers carry `admin_consent=True`; only `error` tells them apart.
 */
export async function decideAdminConsent(service: Service, ticket: AdminTicket, decision: string): Promise<SandboxReply> {
  const { tenantId, app, redirectUri, scopes, state } = ticket.consent;
  const answer = (parameters: Readonly<Record<string, string>>) =>
    redirect(answerAddress(redirectUri, { admin_consent: 'True', ...parameters, state }));
  const allowed = ticket.user !== undefined && mayGrant(service, ticket.user);
  if (!allowed) {
    const { error, description } = entraError(service.ctx, service.addresses.login, 90094);
    return answer({ error, error_description: description });
  }
  if (decision !== 'accept' || service.fault === 'consent-denied') {
    const { description } = entraError(service.ctx, service.addresses.login, 65004);
    return answer({ error: 'consent_required', error_description: description });
  }
  const made = { uuid: () => service.ctx.random.uuid(), now: service.ctx.clock.now() };
  await service.state.change((now) => grantTenantWide(now, app.clientId, scopes, made));
  const elsewhere = service.fault === 'consent-other-tenant';
  return answer({
    tenant: elsewhere ? otherTenant : (tenantId ?? homeTenantOf(ticket.user?.address ?? '')),
    scope: scopes.map((one) => `${one.prefix}${one.name}`).join(' '),
  });
}

function readAdminConsent(service: Service, state: State, named: string, { query, target }: SandboxRequest): Read {
  const shown = (aadsts: Aadsts, blanks: Blanks = {}): Read => ({ kind: 'shown', aadsts, blanks });
  // Consent is given for one organization, which these two names do not tell.
  if (['common', 'consumers'].includes(named.toLowerCase())) return shown(50059);
  const found = findTenant(named);
  if (found.kind !== 'found') return shown(found.kind === 'unknown' ? 90002 : 900023, { tenant: named });
  const clientId = query.get('client_id') ?? '';
  if (clientId === '') return shown(900144, { parameter: 'client_id' });
  const app = findApp(state, clientId);
  if (app === undefined || service.fault === 'client-unknown') return shown(700016, { client: clientId });
  if (app.publicRedirects.length + app.webRedirects.length === 0) return shown(500113);
  const redirectUri = query.get('redirect_uri') ?? '';
  if (redirectUri === '') return shown(900971);
  if (platformOf(app, redirectUri) === undefined) return shown(50011, { redirect: redirectUri, client: clientId });
  const read = readScopes(query.get('scope') ?? '', service.addresses.graph, declaredScopes(app));
  if (read.kind !== 'ok') return { kind: 'shown', ...scopeRefusal(read) };
  if (service.fault === 'no-exchange' && read.scopes.some((one) => one.resource === 'outlook')) return shown(650052);
  return {
    kind: 'ok',
    consent: { tenantId: found.id, app, redirectUri, state: query.get('state') ?? undefined, scopes: read.scopes, target },
  };
}

function mayGrant(service: Service, user: User): boolean {
  return effectiveRoles(user.address, service.fault).length > 0;
}

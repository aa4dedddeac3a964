import { defined } from '../../core/defined.ts';
import { plain } from '../../core/text.ts';
import { type Aadsts, entraError } from '../faults/entra-refusals.ts';
import { decodeSegment, type SandboxHandler, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { domainIn, isFirstParty } from '../tenant/app-objects.ts';
import { accountsOf, administratorsOf, effectiveRoles, type User } from '../tenant/directory.ts';
import { sha256 } from '../tenant/state.ts';
import { type AdminTicket, beginAdminConsent, decideAdminConsent, pickAdministrator } from './admin-consent.ts';
import { type Authorize, answerAddress, readAuthorize } from './authorize.ts';
import { consentBlocked, consentedKeys, rememberConsent } from './consents.ts';
import { devicePath } from './device-code.ts';
import { beginDevice, type DeviceTicket, decideForDevice, pickForDevice, typeCode } from './device-pages.ts';
import { html, readPicked, redirect, shownError } from './replies.ts';
import { type AskedScope, consentKey } from './scope-rules.ts';
import { accountPage, adminApprovalPage, consentPage, errorPage, forms } from './sign-in-pages.ts';

/** A sign-in that is open in a browser. Its id is in the forms, so that no other web page can submit them. */
interface UserTicket {
  readonly kind: 'user';
  readonly authorize: Authorize;
  user?: User;
  /** only an administrator could consent to what is missing */
  blocked?: boolean;
}

type Ticket = UserTicket | AdminTicket | DeviceTicket;
type Tickets = Map<string, Ticket>;

/** A code lives about a minute (learn.microsoft.com, v2-oauth2-auth-code-flow). */
const codeLifeMs = 60_000;
const mostTickets = 200;

/** The server for browsers. Plain http on localhost, real forms, no scripts. */
export function signInServer(service: Service): SandboxHandler {
  const tickets: Tickets = new Map();
  return async (request) => {
    if (!isOurHost(service, request)) return html(400, errorPage('This address does not belong to the mailauth sandbox.'));
    if (request.method === 'GET') return open(service, tickets, request);
    if (request.method === 'POST' && request.path === forms.device)
      return typeCode(service, request, (ticket) => keep(service, tickets, ticket));
    const posted = request.path === forms.account || request.path === forms.consent;
    return request.method === 'POST' && posted ? press(service, tickets, request) : noSuchPage();
  };
}

/** GET: the pages that begin a sign-in, an admin consent or a device code. */
async function open(service: Service, tickets: Tickets, request: SandboxRequest): Promise<SandboxReply> {
  const [, named, what] = /^\/([^/]+)\/(oauth2\/v2\.0\/authorize|v2\.0\/adminconsent)$/.exec(request.path) ?? [];
  if (request.path === devicePath || named !== undefined) service.seen += 1;
  if (request.path === devicePath) return beginDevice(service);
  if (named !== undefined && what === 'v2.0/adminconsent')
    return beginAdminConsent(service, decodeSegment(named), request, (ticket) => keep(service, tickets, ticket));
  if (named !== undefined) return begin(service, tickets, named, request);
  return request.path === '/favicon.ico' ? { status: 204, headers: {}, body: '' } : noSuchPage();
}

/** POST: the account that was picked, or the decision. */
async function press(service: Service, tickets: Tickets, request: SandboxRequest): Promise<SandboxReply> {
  const form = new URLSearchParams(request.body);
  const id = form.get('ticket') ?? '';
  const ticket = tickets.get(id);
  if (ticket === undefined) return html(400, errorPage('This page is no longer valid: its sign-in has ended or was answered before.'));
  const picking = request.path === forms.account;
  const answer = form.get(picking ? 'account' : 'decision') ?? '';
  if (ticket.kind === 'user') {
    return picking ? pick(service, tickets, id, ticket, answer) : decide(service, tickets, id, ticket, answer);
  }
  if (ticket.kind === 'device') {
    if (picking) return pickForDevice(service, id, ticket, answer);
    tickets.delete(id);
    return decideForDevice(service, ticket, answer);
  }
  if (picking) return pickAdministrator(service, id, ticket, answer);
  if (ticket.user === undefined) return html(400, errorPage('Pick an account first.', ticket.consent.target));
  tickets.delete(id);
  return decideAdminConsent(service, ticket, answer);
}

function noSuchPage(): SandboxReply {
  return html(404, errorPage('There is no such page in the mailauth sandbox.'));
}

async function begin(service: Service, tickets: Tickets, tenant: string, request: SandboxRequest): Promise<SandboxReply> {
  const state = await service.state.read();
  const read = readAuthorize(service, state, decodeSegment(tenant), request.query, request.target);
  if (read.kind === 'shown') return shownError(service, read.aadsts, read.blanks);
  if (read.kind === 'sent') {
    const error = entraError(service.ctx, service.addresses.login, read.aadsts, read.blanks);
    return redirect(answerAddress(read.redirectUri, { error: error.error, error_description: error.description, state: read.state }));
  }
  const id = keep(service, tickets, { kind: 'user', authorize: read.authorize });
  const { app, tenantId, loginHint } = read.authorize;
  const hinted = plain(loginHint ?? '', 254);
  const accounts = (isFirstParty(app) ? administratorsOf : accountsOf)(domainIn(state, tenantId));
  return html(200, accountPage(id, app.name, { accounts, ...(hinted === '' ? {} : { hinted }) }), read.authorize.redirectUri);
}

function keep(service: Service, tickets: Tickets, ticket: Ticket): string {
  const id = service.ctx.random.bytes(24).toString('base64url');
  tickets.set(id, ticket);
  for (const oldest of tickets.keys()) if (tickets.size > mostTickets) tickets.delete(oldest);
  return id;
}

async function pick(service: Service, tickets: Tickets, id: string, ticket: UserTicket, typed: string): Promise<SandboxReply> {
  const { authorize } = ticket;
  const picked = readPicked(service, typed, { clientId: authorize.app.clientId, tenantId: authorize.tenantId, again: authorize.target });
  if (picked.kind === 'shown') return picked.page;
  const { user } = picked;
  ticket.user = user;
  const state = await service.state.read();
  const consented = consentedKeys(state, authorize.app.clientId, user.address);
  const missing = authorize.scopes.filter((scope) => !consented.includes(consentKey(scope)));
  const roles = effectiveRoles(user.address, service.fault);
  const forced = service.fault === 'admin-consent-required' && !isFirstParty(authorize.app);
  ticket.blocked = forced || consentBlocked(authorize.app.clientId, roles, missing);
  if (ticket.blocked) return html(200, adminApprovalPage(id, authorize.app.name, user.address), authorize.redirectUri);
  // Azure CLI is preauthorized, so its consent page is never shown.
  const asks = !isFirstParty(authorize.app) && (authorize.prompt === 'consent' || service.fault === 'consent-denied');
  if (missing.length === 0 && !asks) return accept(service, tickets, id, authorize, user, []);
  return html(200, consentPage(id, authorize.app.name, user.address, authorize.scopes), authorize.redirectUri);
}

async function decide(service: Service, tickets: Tickets, id: string, ticket: UserTicket, decision: string): Promise<SandboxReply> {
  const { authorize, user } = ticket;
  if (user === undefined) return html(400, errorPage('Pick an account first.', authorize.target));
  if (ticket.blocked === true) return deny(service, tickets, id, authorize, 90094);
  if (decision !== 'accept' || service.fault === 'consent-denied') return deny(service, tickets, id, authorize, 65004);
  return accept(service, tickets, id, authorize, user, authorize.scopes);
}

async function accept(
  service: Service,
  tickets: Tickets,
  id: string,
  authorize: Authorize,
  user: User,
  consented: readonly AskedScope[],
): Promise<SandboxReply> {
  const code = service.mint.code();
  await service.state.change((state) => {
    if (consented.length > 0) rememberConsent(state, authorize.app.clientId, user, consented);
    state.codes.push({
      sha256: sha256(code),
      clientId: authorize.app.clientId,
      confidential: authorize.confidential,
      redirectUri: authorize.redirectUri,
      user: user.address,
      scope: authorize.scope,
      ...defined({ challenge: authorize.challenge, nonce: authorize.nonce, claims: authorize.claims }),
      expiresAt: service.ctx.clock.now() + codeLifeMs,
      redeemed: false,
    });
  });
  tickets.delete(id);
  return redirect(answerAddress(authorize.redirectUri, { code, state: authorize.state, session_state: service.ctx.random.uuid() }));
}

function deny(service: Service, tickets: Tickets, id: string, authorize: Authorize, aadsts: Aadsts): SandboxReply {
  tickets.delete(id);
  const { error, description } = entraError(service.ctx, service.addresses.login, aadsts);
  const parameters = { error, error_subcode: 'cancel', error_description: description, state: authorize.state };
  return redirect(answerAddress(authorize.redirectUri, parameters));
}

/** Was the page asked for under a name of this computer? A foreign host name that points at 127.0.0.1 (DNS rebinding) gets nothing. */
function isOurHost(service: Service, request: SandboxRequest): boolean {
  const { port } = new URL(service.addresses.pages);
  return ['localhost', '127.0.0.1', '[::1]'].some((name) => request.headers.host === `${name}:${port}`);
}

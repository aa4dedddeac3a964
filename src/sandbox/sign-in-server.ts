import { plain } from '../core/text.ts';
import { type Authorize, answerAddress, readAuthorize } from './authorize.ts';
import { findUser, shownAccounts, type User } from './directory.ts';
import { type Aadsts, type Blanks, entraError } from './entra-errors.ts';
import { decodeSegment, type SandboxHandler, type SandboxReply, type SandboxRequest } from './http.ts';
import { accountPage, adminApprovalPage, consentPage, errorPage, forms, pageHeaders } from './pages.ts';
import { consentKey } from './scopes.ts';
import type { Service } from './service.ts';
import { sha256 } from './state.ts';

/** A sign-in that somebody has open in a browser. Its id stands in the forms, so no other web page can press our buttons. */
interface Ticket {
  readonly authorize: Authorize;
  user?: User;
}

/** A code lives about a minute (learn.microsoft.com, v2-oauth2-auth-code-flow). */
const codeLifeMs = 60_000;
const mostTickets = 200;

/** The pages server: what a browser opens. Plain http on localhost, real forms, no scripts. */
export function signInServer(service: Service): SandboxHandler {
  const tickets = new Map<string, Ticket>();
  return async (request) => {
    if (!isOurHost(service, request)) return html(400, errorPage('This address does not belong to the mailauth sandbox.'));
    const tenant = /^\/([^/]+)\/oauth2\/v2\.0\/authorize$/.exec(request.path)?.[1];
    if (request.method === 'GET' && tenant !== undefined) return begin(service, tickets, tenant, request);
    if (request.method === 'GET' && request.path === '/favicon.ico') return { status: 204, headers: {}, body: '' };
    const posted = request.path === forms.account || request.path === forms.consent;
    if (request.method !== 'POST' || !posted) return html(404, errorPage('There is no such page in the mailauth sandbox.'));
    const form = new URLSearchParams(request.body);
    const id = form.get('ticket') ?? '';
    const ticket = tickets.get(id);
    if (ticket === undefined) return html(400, errorPage('This page is no longer valid: its sign-in has ended or was answered before.'));
    if (request.path === forms.account) return pick(service, tickets, id, ticket, form.get('account') ?? '');
    return decide(service, tickets, id, ticket, form.get('decision') ?? '');
  };
}

async function begin(service: Service, tickets: Map<string, Ticket>, tenant: string, request: SandboxRequest): Promise<SandboxReply> {
  service.seen += 1;
  const state = await service.state.read();
  const read = readAuthorize(service, state, decodeSegment(tenant), request.query, request.target);
  if (read.kind === 'shown') return shownError(service, read.aadsts, read.blanks);
  if (read.kind === 'sent') {
    const error = entraError(service.ctx, service.addresses.login, read.aadsts, read.blanks);
    return redirect(answerAddress(read.redirectUri, { error: error.error, error_description: error.description, state: read.state }));
  }
  const id = service.ctx.random.bytes(24).toString('base64url');
  tickets.set(id, { authorize: read.authorize });
  for (const oldest of tickets.keys()) if (tickets.size > mostTickets) tickets.delete(oldest);
  const { app, loginHint } = read.authorize;
  const hinted = plain(loginHint ?? '', 254);
  const accounts = [...new Set([hinted, ...shownAccounts].filter((address) => address !== ''))];
  return html(200, accountPage(id, app.name, accounts), read.authorize.redirectUri);
}

async function pick(service: Service, tickets: Map<string, Ticket>, id: string, ticket: Ticket, typed: string): Promise<SandboxReply> {
  const { authorize } = ticket;
  const blanks = { user: plain(typed, 254), client: authorize.app.clientId };
  const found = findUser(typed);
  switch (found.kind) {
    case 'unknown':
      return shownError(service, 50034, blanks, authorize.target);
    case 'foreign':
      return shownError(service, 50020, { ...blanks, domain: found.domain }, authorize.target);
    case 'disabled':
      return shownError(service, 50057, blanks, authorize.target);
    case 'user':
      ticket.user = found.user;
  }
  const { user } = found;
  if (service.fault === 'admin-consent-required')
    return html(200, adminApprovalPage(id, authorize.app.name, user.address), authorize.redirectUri);
  const state = await service.state.read();
  const consented = state.consents.find((one) => one.clientId === authorize.app.clientId && one.user === user.address)?.scopes ?? [];
  const settled = authorize.scopes.every((scope) => consented.includes(consentKey(scope)));
  if (settled && authorize.prompt !== 'consent' && service.fault !== 'consent-denied') return accept(service, tickets, id, authorize, user);
  return html(200, consentPage(id, authorize.app.name, user.address, authorize.scopes), authorize.redirectUri);
}

async function decide(service: Service, tickets: Map<string, Ticket>, id: string, ticket: Ticket, decision: string): Promise<SandboxReply> {
  const { authorize, user } = ticket;
  if (user === undefined) return html(400, errorPage('Pick an account first.', authorize.target));
  if (service.fault === 'admin-consent-required') return deny(service, tickets, id, authorize, 90094);
  if (decision !== 'accept' || service.fault === 'consent-denied') return deny(service, tickets, id, authorize, 65004);
  return accept(service, tickets, id, authorize, user);
}

async function accept(service: Service, tickets: Map<string, Ticket>, id: string, authorize: Authorize, user: User): Promise<SandboxReply> {
  const code = service.mint.code();
  await service.state.change((state) => {
    const mine = state.consents.find((one) => one.clientId === authorize.app.clientId && one.user === user.address);
    const granted = [...new Set([...(mine?.scopes ?? []), ...authorize.scopes.map(consentKey)])];
    if (mine === undefined) state.consents.push({ clientId: authorize.app.clientId, user: user.address, scopes: granted });
    else mine.scopes = granted;
    state.codes.push({
      sha256: sha256(code),
      clientId: authorize.app.clientId,
      confidential: authorize.confidential,
      redirectUri: authorize.redirectUri,
      user: user.address,
      scope: authorize.scope,
      ...(authorize.challenge === undefined ? {} : { challenge: authorize.challenge }),
      ...(authorize.nonce === undefined ? {} : { nonce: authorize.nonce }),
      expiresAt: service.ctx.clock.now() + codeLifeMs,
      redeemed: false,
    });
  });
  tickets.delete(id);
  return redirect(answerAddress(authorize.redirectUri, { code, state: authorize.state, session_state: service.ctx.random.uuid() }));
}

function deny(service: Service, tickets: Map<string, Ticket>, id: string, authorize: Authorize, aadsts: Aadsts): SandboxReply {
  tickets.delete(id);
  const { error, description } = entraError(service.ctx, service.addresses.login, aadsts);
  const parameters = { error, error_subcode: 'cancel', error_description: description, state: authorize.state };
  return redirect(answerAddress(authorize.redirectUri, parameters));
}

function shownError(service: Service, aadsts: Aadsts, blanks: Blanks, again?: string): SandboxReply {
  return html(400, errorPage(entraError(service.ctx, service.addresses.login, aadsts, blanks).description, again));
}

function html(status: number, body: string, redirectUri?: string): SandboxReply {
  return { status, headers: pageHeaders(redirectUri === undefined ? undefined : new URL(redirectUri).origin), body };
}

function redirect(location: string): SandboxReply {
  return { status: 302, headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }, body: '' };
}

/** Only under our own names: a stranger's host name that points at 127.0.0.1 (DNS rebinding) gets nothing. */
function isOurHost(service: Service, request: SandboxRequest): boolean {
  const { port } = new URL(service.addresses.pages);
  return ['localhost', '127.0.0.1', '[::1]'].some((name) => request.headers.host === `${name}:${port}`);
}

import type { SandboxReply, SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { declaredScopes, domainIn, findApp, registrationOf } from '../tenant/app-objects.ts';
import { accountsOf, effectiveRoles, type User } from '../tenant/directory.ts';
import type { App, State } from '../tenant/state-schema.ts';
import { consentBlocked, consentedKeys, rememberConsent } from './consents.ts';
import { devicePath } from './device-code.ts';
import { html, readPicked } from './replies.ts';
import { type AskedScope, consentKey, readScopes } from './scope-rules.ts';
import { accountPage, adminApprovalPage, consentPage, deviceCodePage, deviceDonePage, errorPage } from './sign-in-pages.ts';

/** A sign-in with a device code that is open in a browser. */
export interface DeviceTicket {
  readonly kind: 'device';
  readonly app: App;
  readonly scopes: readonly AskedScope[];
  /** which of the waiting codes it was */
  readonly codeHash: string;
  user?: User;
  /** only an administrator could consent to what is missing */
  blocked?: boolean;
}

/** `GET /common/oauth2/deviceauth`: the page for the code. */
export function beginDevice(service: Service): SandboxReply {
  service.seen += 1;
  return html(200, deviceCodePage(false));
}

/** The code was typed: the picker, or the page again. `open` stores the ticket and returns its id. */
export async function typeCode(service: Service, request: SandboxRequest, open: (ticket: DeviceTicket) => string): Promise<SandboxReply> {
  const typed = (new URLSearchParams(request.body).get('code') ?? '').trim().toUpperCase();
  const state = await service.state.read();
  const now = service.ctx.clock.now();
  const code = state.deviceCodes.find((one) => one.userCode === typed && one.state === 'pending' && one.expiresAt > now);
  const app = code === undefined ? undefined : findApp(state, code.clientId);
  if (code === undefined || app === undefined) return html(400, deviceCodePage(true));
  const read = readScopes(code.scope, service.addresses.graph, declaredScopes(app));
  const id = open({ kind: 'device', app, scopes: read.kind === 'ok' ? read.scopes : [], codeHash: code.sha256 });
  return html(200, accountPage(id, app.name, { accounts: accountsOf(domainIn(state, registrationOf(app).tenantId)) }));
}

/** After the account: consent where it is missing, else the end. */
export async function pickForDevice(service: Service, id: string, ticket: DeviceTicket, typed: string): Promise<SandboxReply> {
  const { app, scopes } = ticket;
  const picked = readPicked(service, typed, { clientId: app.clientId, tenantId: undefined, again: devicePath });
  if (picked.kind === 'shown') return picked.page;
  const { user } = picked;
  ticket.user = user;
  const consented = consentedKeys(await service.state.read(), app.clientId, user.address);
  const missing = scopes.filter((scope) => !consented.includes(consentKey(scope)));
  const roles = effectiveRoles(user.address, service.fault);
  ticket.blocked = service.fault === 'admin-consent-required' || consentBlocked(app.clientId, roles, missing);
  if (ticket.blocked) return html(200, adminApprovalPage(id, app.name, user.address));
  // Entra always asks "Are you trying to sign in to …?" here. The sandbox shows the consent page, where one can decline too.
  return html(200, consentPage(id, app.name, user.address, scopes));
}

/** Accept or Cancel: from then on the app's polls are answered. */
export async function decideForDevice(service: Service, ticket: DeviceTicket, decision: string): Promise<SandboxReply> {
  const { app, scopes, user, codeHash } = ticket;
  if (user === undefined) return html(400, errorPage('Pick an account first.', devicePath));
  const declining = service.fault === 'device-declined' || service.fault === 'consent-denied';
  const accepted = decision === 'accept' && ticket.blocked !== true && !declining;
  const known = await service.state.change((state) => settle(state, codeHash, accepted ? user : undefined, app, scopes));
  return known ? html(200, deviceDonePage(app.name, accepted)) : html(400, deviceCodePage(true));
}

function settle(state: State, codeHash: string, user: User | undefined, app: App, scopes: readonly AskedScope[]): boolean {
  const code = state.deviceCodes.find((one) => one.sha256 === codeHash && one.state === 'pending');
  if (code === undefined) return false;
  code.state = user === undefined ? 'declined' : 'accepted';
  if (user === undefined) return true;
  code.user = user.address;
  rememberConsent(state, app.clientId, user, scopes);
  return true;
}

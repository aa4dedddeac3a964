import { isGuid, plain } from '../../core/text.ts';
import { type Aadsts, type Blanks, entraError } from '../faults/entra-refusals.ts';
import { json, type SandboxReply, type SandboxRequest } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { findUser, isIn, type User } from '../tenant/directory.ts';
import { errorPage, pageHeaders } from './sign-in-pages.ts';

/** A refusal on a page of its own. `again`: the address of the account picker, for another try. */
export function shownError(service: Service, aadsts: Aadsts, blanks: Blanks, again?: string): SandboxReply {
  return html(400, errorPage(entraError(service.ctx, service.addresses.login, aadsts, blanks).description, again));
}

/** A page. `redirectUri`: where its forms finally send the browser. */
export function html(status: number, body: string, redirectUri?: string): SandboxReply {
  return { status, headers: pageHeaders(redirectUri === undefined ? undefined : new URL(redirectUri).origin), body };
}

export function redirect(location: string): SandboxReply {
  return { status: 302, headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }, body: '' };
}

type Picked = { readonly kind: 'user'; readonly user: User } | { readonly kind: 'shown'; readonly page: SandboxReply };

/** Which app asks for an account, and of which tenant (undefined: of any); `again`: the address of the account picker. */
interface Picker {
  readonly clientId: string;
  readonly tenantId: string | undefined;
  readonly again: string;
}

/** The user whose address was picked or typed, or Entra's page that says why this account cannot sign in here. */
export function readPicked(service: Service, typed: string, { clientId, tenantId, again }: Picker): Picked {
  const found = findUser(typed);
  const shown = (aadsts: Aadsts, more: Blanks = {}): Picked => {
    const blanks = { user: plain(typed, 254), client: clientId, ...more };
    return { kind: 'shown', page: shownError(service, aadsts, blanks, again) };
  };
  switch (found.kind) {
    case 'unknown':
      return shown(50034);
    case 'foreign':
      return shown(50020, { domain: found.domain });
    case 'disabled':
      return shown(50057);
    case 'user': {
      const { address } = found.user;
      return isIn(tenantId, address) ? found : shown(50020, { domain: address.slice(address.indexOf('@') + 1) });
    }
  }
}

type Refuse = (aadsts: Aadsts, blanks?: Blanks, headers?: Readonly<Record<string, string>>) => SandboxReply;

/** Turns refusals into Entra's JSON, with the client's own correlation id when it sent one. */
export function refuser(service: Service, request: SandboxRequest): Refuse {
  const header = request.headers['client-request-id'];
  const sent = request.query.get('client-request-id') ?? (typeof header === 'string' ? header : '');
  return (aadsts, blanks = {}, headers = {}) => {
    const correlationId = isGuid(sent) ? sent.toLowerCase() : service.ctx.random.uuid();
    const error = entraError(service.ctx, service.addresses.login, aadsts, blanks, correlationId);
    return json(error.status, error.json, headers);
  };
}

import { type Aadsts, type Blanks, entraError } from '../faults/entra-replies.ts';
import type { SandboxReply } from '../server/http.ts';
import type { Service } from '../server/service.ts';
import { errorPage, pageHeaders } from './sign-in-pages.ts';

/** An error of Entra's on a page of its own. `again` leads back to the picker. */
export function shownError(service: Service, aadsts: Aadsts, blanks: Blanks, again?: string): SandboxReply {
  return html(400, errorPage(entraError(service.ctx, service.addresses.login, aadsts, blanks).description, again));
}

/** A page. `redirectUri`: where its forms may lead to in the end. */
export function html(status: number, body: string, redirectUri?: string): SandboxReply {
  return { status, headers: pageHeaders(redirectUri === undefined ? undefined : new URL(redirectUri).origin), body };
}

export function redirect(location: string): SandboxReply {
  return { status: 302, headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }, body: '' };
}

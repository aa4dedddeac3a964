import * as z from 'zod/mini';
import type { Protocol } from '../../core/cloud.ts';
import type { ClientType } from '../../core/mailbox.ts';
import type { Audience, SignInWay } from '../../products/product.ts';

export type RegisterWay = 'existing' | 'portal' | 'auto' | 'handoff';
export type Consent = 'admin' | 'user' | 'skip';

export type Access = 'delegated' | 'app-only';

/** What the operator said, or the defaults said for them. Never a secret: answers are written to the journal. */
export interface Answers {
  readonly mailbox: string;
  readonly for: string;
  /** app-only: the app acts for itself (client credentials), nobody signs in. Left out: delegated */
  readonly access?: Access;
  readonly signInAs?: string;
  readonly tenant?: string;
  readonly register: RegisterWay;
  readonly clientId?: string;
  readonly clientType: ClientType;
  readonly redirectUri: string;
  readonly audience: Audience;
  readonly protocols: readonly Protocol[];
  /** of a product that comes in two kinds */
  readonly variant?: string;
  readonly name: string;
  readonly secretMonths: number;
  readonly consent: Consent;
  readonly signIn: SignInWay;
  readonly test: boolean;
}

/** Answers read back from the journal: each may be missing. */
export const savedAnswers = z.object({
  mailbox: z.string(),
  for: z.string(),
  access: z.optional(z.enum(['delegated', 'app-only'])),
  signInAs: z.optional(z.string()),
  tenant: z.optional(z.string()),
  register: z.optional(z.enum(['existing', 'portal', 'auto', 'handoff'])),
  clientId: z.optional(z.string()),
  clientType: z.optional(z.enum(['public', 'confidential'])),
  redirectUri: z.optional(z.string()),
  audience: z.optional(z.enum(['single', 'multi', 'multi-and-personal', 'personal'])),
  protocols: z.optional(z.array(z.enum(['imap', 'pop', 'smtp']))),
  name: z.optional(z.string()),
  secretMonths: z.optional(z.number()),
  consent: z.optional(z.enum(['admin', 'user', 'skip'])),
  signIn: z.optional(z.enum(['browser', 'paste', 'device', 'password', 'skip'])),
  variant: z.optional(z.string()),
  test: z.optional(z.boolean()),
});

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const domain = /^(?=.{3,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;

/** Each check answers true or the complaint; they run while the operator types. */
export function checkAddress(value: string): true | string {
  const [local = '', host = '', ...more] = value.split('@');
  // Dots as of RFC 5321 section 4.1.2; a leading hyphen would be read as a flag by every program that gets the address.
  if (/^[-.]|\.\.|\.$/.test(local) || local === '' || more.length > 0 || /[\s"<>(),;:\\[\]\p{Cc}]/u.test(value) || value.length > 254) {
    return 'an address looks like helpdesk@contoso.com';
  }
  return domain.test(host) ? true : `"${host}" is no mail domain; an address looks like helpdesk@contoso.com`;
}

export function checkGuid(value: string): true | string {
  return guid.test(value) ? true : 'the Application (client) ID is a GUID: 8-4-4-4-12 digits and letters a to f';
}

export function checkTenant(value: string): true | string {
  if (guid.test(value) || domain.test(value) || ['consumers', 'organizations', 'common'].includes(value)) return true;
  return "a tenant is its domain (contoso.com) or its ID (a GUID from the app's Overview page)";
}

/** What Entra's platforms accept (Microsoft, "Redirect URI restrictions"): https, or http on localhost only. */
export function checkRedirectUri(value: string): true | string {
  if (!URL.canParse(value)) return 'a redirect URI is a whole address: https://helpdesk.contoso.com/oauth';
  const url = new URL(value);
  if (value.length > 256) return 'longer than 256 characters';
  if (url.hash !== '') return 'a redirect URI has no #fragment';
  if (url.hostname === '[::1]') return 'Entra does not support [::1]: use http://localhost';
  if (url.username !== '' || /[!$'(),;*]/.test(value)) return "none of ! $ ' ( ) , ; * and no user name";
  if (url.protocol === 'https:') return true;
  if (url.protocol === 'http:') {
    return url.hostname === 'localhost' || url.hostname === '127.0.0.1' ? true : 'plain http is accepted for localhost only';
  }
  return 'https, or http on localhost';
}

export const isGuid = (value: string): boolean => guid.test(value);

/** Redirects that this computer can catch itself (RFC 8252 section 7.3). */
export function isLoopback(redirectUri: string): boolean {
  if (!URL.canParse(redirectUri)) return false;
  const url = new URL(redirectUri);
  return url.protocol === 'http:' && (url.hostname === 'localhost' || url.hostname === '127.0.0.1');
}

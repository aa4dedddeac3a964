import * as z from 'zod/mini';
import { protocolWords } from '../../core/cloud.ts';
import { bareAddress, isGuid, printable } from '../../core/text.ts';

const text = z.string();

/** Every question of the wizard and the type of its answer: what the journal may hold. `questions.ts` has the rest of each. */
export const answerSchemas = {
  mailbox: text,
  for: text,
  /** app-only: the app acts for itself (client credentials) and no person signs in. Left out: delegated */
  access: z.enum(['delegated', 'app-only']),
  /** whose account opens the mailbox; unsure: Microsoft Graph is asked once an administrator has signed in */
  openedBy: z.enum(['itself', 'delegate', 'unsure']),
  signInAs: text,
  tenant: text,
  /** a person's name for the customer */
  label: text,
  register: z.enum(['auto', 'portal', 'handoff', 'existing']),
  /** one app for all mailboxes of the tenant and product; `take`: that of another set-up, which becomes one */
  sharedApp: z.enum(['yes', 'take', 'no']),
  clientType: z.enum(['public', 'confidential']),
  clientId: text,
  redirectUri: text,
  audience: z.enum(['single', 'multi', 'multi-and-personal', 'personal']),
  /** of a product that comes in two kinds */
  variant: text,
  protocols: z.readonly(z.array(z.enum(protocolWords))),
  name: text,
  secretMonths: z.number(),
  /** ID of the service in the organization's own directory, where the tenant demands one */
  serviceManagementReference: text,
  consent: z.enum(['admin', 'user', 'skip']),
  signIn: z.enum(['browser', 'paste', 'device', 'password', 'skip']),
};

export type AnswerId = keyof typeof answerSchemas;

/** The answers so far. What was not asked has no answer. Never a secret: answers are written to the journal. */
export type Known = { readonly [K in AnswerId]?: z.infer<(typeof answerSchemas)[K]> };

/** What the operator said, or the defaults said for them: these questions apply to every set-up, the others where they apply. */
export type Answers = Known & {
  readonly [K in 'mailbox' | 'for' | 'register' | 'clientType' | 'protocols' | 'consent']: NonNullable<Known[K]>;
};

export type Access = NonNullable<Known['access']>;
export type RegisterWay = Answers['register'];

/** Answers read back from the journal: each may be missing. */
export const savedAnswers = z.partial(z.object(answerSchemas));

const domain = /^(?=.{3,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;

/** Each check answers true or the complaint; they run while the operator types. */
export function checkAddress(text: string): true | string {
  const value = bareAddress(text);
  if (value.length > 254) return 'too long, at most 254 characters; an address looks like helpdesk@contoso.com';
  const [local = '', host, ...more] = value.split('@');
  // Dots as of RFC 5321 section 4.1.2; a leading hyphen would be read as a flag by every program that gets the address.
  if (/^[-.]|\.\.|\.$/.test(local) || local === '' || !host || more.length > 0 || /[\s"<>(),;:\\[\]\p{Cc}]/u.test(value)) {
    return 'an address looks like helpdesk@contoso.com';
  }
  return domain.test(host) ? true : `"${host}" is not a mail domain; an address looks like helpdesk@contoso.com`;
}

export function checkGuid(value: string): true | string {
  return isGuid(value) ? true : 'the Application (client) ID is a GUID: 8-4-4-4-12 digits and letters a to f';
}

/** `tenantId`: of the tenant that was found. Nearly everybody copies it once, because the portal shows it below the client ID. */
export const checkClientId =
  (tenantId: string | undefined) =>
  (value: string): true | string =>
    value.toLowerCase() === tenantId?.toLowerCase()
      ? 'this is the Directory (tenant) ID; the Application (client) ID is the line above it in the portal'
      : checkGuid(value);

export function checkTenant(value: string): true | string {
  if (isGuid(value) || domain.test(value) || ['consumers', 'organizations', 'common'].includes(value)) return true;
  return "a tenant is its domain (contoso.com) or its ID (a GUID from the app's Overview page)";
}

const longestLabel = 60;

/** A label stands in tables, spreadsheets and the labels of a monitoring system: one line, nothing invisible. */
export function checkLabel(value: string): true | string {
  if (printable(value) !== value) return 'a label is one line of text without control characters or invisible ones';
  return [...value].length <= longestLabel ? true : `a label has at most ${longestLabel} characters`;
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

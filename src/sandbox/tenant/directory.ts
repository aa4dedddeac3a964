import { createHash } from 'node:crypto';
import { isGuid, nearest } from '../../core/text.ts';
import type { FaultName } from '../faults/faults.ts';

/** The first tenant of the sandbox; every other domain is a tenant of its own. `.example` can never be a real domain (RFC 2606 section 2). */
export const tenant = {
  id: '5a4db0c5-c0de-4a11-b0b5-c0ffee000365',
  name: 'Contoso (sandbox)',
  domains: ['contoso.example', 'contoso.onmicrosoft.example'],
} as const;

export const defaultMailbox = 'helpdesk@contoso.example';

/** Ready registrations, the same in every sandbox, so that a guide or a test can name them. */
export const readyApps = {
  public: {
    clientId: '11111111-5a4d-4b0c-9a11-c0ffee000001',
    name: 'mailauth sandbox (this computer)',
    redirectUri: 'http://localhost',
  },
  confidential: {
    clientId: '22222222-5a4d-4b0c-9a11-c0ffee000002',
    name: 'mailauth sandbox (helpdesk)',
    redirectUri: 'http://localhost:23682/mailauth',
  },
} as const;

export function isReady(clientId: string): boolean {
  return clientId === readyApps.public.clientId || clientId === readyApps.confidential.clientId;
}

/** Microsoft Azure CLI, as which an administrator signs in to register an app: It is in every tenant, is public, and needs no consent. */
export const azureCli = {
  clientId: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
  name: 'Microsoft Azure CLI',
  redirectUri: 'http://localhost',
} as const;

/** The public client of Microsoft's Exchange Online module, as which an administrator signs in for Exchange. */
export const exchangeModule = {
  clientId: 'fb78d390-0c51-40cd-8e17-fdbfab77341b',
  name: 'Microsoft Exchange REST API Based Powershell',
  redirectUri: 'http://localhost',
} as const;

/** Apps of Microsoft itself: they are in every tenant, are public, and need no consent. */
export const isMicrosofts = (clientId: string): boolean => clientId === azureCli.clientId || clientId === exchangeModule.clientId;

/** Accounts that the picker of a tenant offers besides the one of `login_hint`. */
export const accountsOf = (domain: string): readonly string[] => [`helpdesk@${domain}`, `ada@${domain}`];

/** Contoso's Global Administrator. */
export const administrator = 'admin@contoso.example';
/** Accounts that the picker of a tenant offers where an administrator is needed: the Global Administrator, the Application Administrator, a user. */
export const administratorsOf = (domain: string): readonly string[] => [`admin@${domain}`, `appadmin@${domain}`, `ada@${domain}`];

/** The password of every account, for the password grant. */
export const sharedPassword = 'correct horse battery staple';

/** Users who must use multi-factor authentication: the password grant is refused (AADSTS50076). */
const mfaUsers: readonly string[] = ['mfa@contoso.example'];

/** A directory role. `id` is the role template's, the same in every tenant; tokens carry it in `wids`. */
export interface Role {
  readonly id: string;
  readonly name: string;
}

/** By the name before the `@`, in every tenant. An Application Administrator may register apps and consent for the organization, and nothing else. */
const roles: ReadonlyMap<string, readonly Role[]> = new Map([
  ['admin', [{ id: '62e90394-69f5-4237-9190-012177145e10', name: 'Global Administrator' }]],
  ['appadmin', [{ id: '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3', name: 'Application Administrator' }]],
  // An Exchange Administrator may do everything in Exchange Online, and register no app.
  ['exchangeadmin', [{ id: '29232cdf-9323-42fd-ade2-1d097af3e4de', name: 'Exchange Administrator' }]],
]);

/** The directory roles of a user. Only the administrators of a tenant have one, and under two faults they have none either. */
export function effectiveRoles(address: string, fault: FaultName | undefined): readonly Role[] {
  if (fault === 'graph-not-admin' || fault === 'registration-forbidden') return [];
  return roles.get(address.toLowerCase().split('@')[0] ?? '') ?? [];
}

export function needsMfa(address: string): boolean {
  return mfaUsers.includes(address.toLowerCase());
}

const sharedMailbox = 'shared@contoso.example';
/** a room mailbox; its own account is disabled, like that of a shared mailbox */
const roomMailbox = 'room@contoso.example';
/** further addresses of a user's mailbox; they are not user names for the sign-in */
const aliases: ReadonlyMap<string, string> = new Map([['sales@contoso.example', 'ada@contoso.example']]);
/** the users who have FullAccess to a mailbox that is not their own */
const delegates: ReadonlyMap<string, readonly string[]> = new Map([
  [sharedMailbox, ['ada@contoso.example']],
  [roomMailbox, ['ada@contoso.example']],
]);

export interface User {
  /** lower case */
  readonly address: string;
  readonly objectId: string;
  readonly displayName: string;
}

type SignIn =
  | { readonly kind: 'user'; readonly user: User }
  /** a shared mailbox's own account is disabled by design (AADSTS50057) */
  | { readonly kind: 'disabled'; readonly address: string }
  /** an account of another directory (AADSTS50020) */
  | { readonly kind: 'foreign'; readonly address: string; readonly domain: string }
  /** no such account (AADSTS50034) */
  | { readonly kind: 'unknown'; readonly address: string };

const personalDomains = /^(?:outlook|hotmail|live|msn|gmail)\.[a-z.]{2,}$/;

/** Who signs in with this address. Every address of a domain is a licensed user, except shared mailboxes, rooms and aliases. */
export function findUser(typed: string): SignIn {
  const address = typed.trim().toLowerCase();
  const match = /^[a-z0-9._%+'!#^~-]{1,64}@([a-z0-9.-]{1,190})$/.exec(address);
  const domain = match?.[1];
  if (domain === undefined) return { kind: 'unknown', address };
  if (personalDomains.test(domain)) return { kind: 'foreign', address, domain };
  if (!isTenantDomain(domain)) return { kind: 'unknown', address };
  if (address === sharedMailbox || address === roomMailbox) return { kind: 'disabled', address };
  if (aliases.has(address)) return { kind: 'unknown', address };
  return { kind: 'user', user: userNamed(address) };
}

/** The user whose mailbox has this further address. */
export function aliasOf(address: string): string | undefined {
  return aliases.get(address.toLowerCase());
}

/** Who has rights on that mailbox from the start. */
export const delegatesOf = (mailbox: string): readonly string[] => delegates.get(mailbox.toLowerCase()) ?? [];

type TenantAnswer =
  /** `id` is undefined for `organizations` and `common`: the tenant of whoever signs in */
  { readonly kind: 'found'; readonly id: string | undefined } | { readonly kind: 'unknown' } | { readonly kind: 'malformed' };

/** Finds the tenant that a path names: by its id, one of its domains, `organizations` or `common`. */
export function findTenant(named: string): TenantAnswer {
  const name = named.toLowerCase();
  if (name === 'organizations' || name === 'common') return { kind: 'found', id: undefined };
  if (name === tenant.id || madeTenantId.test(name)) return { kind: 'found', id: name };
  if (isTenantDomain(name)) return { kind: 'found', id: tenantIdOf(name) };
  const looksLikeOne = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(name) || isGuid(name);
  return { kind: looksLikeOne || name === 'consumers' ? 'unknown' : 'malformed' };
}

/** A GUID that stays the same for the same text, so that a user keeps the object id between commands. */
export function stableGuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const isContosos = (domain: string): boolean => tenant.domains.some((own) => own === domain);

/** The shape of the ids that `tenantIdOf` makes: a tenant is known again by its id alone. */
const madeTenantId = /^[\da-f]{8}-c0de-4[\da-f]{3}-9[\da-f]{3}-c0ffee[\da-f]{6}$/;

/** The id of a domain's tenant. It is made from the name of the domain, so that it is the same in every sandbox. */
function tenantIdOf(domain: string): string {
  if (isContosos(domain)) return tenant.id;
  const made = stableGuid(`tenant ${domain}`);
  return `${made.slice(0, 8)}-c0de-${made.slice(14, 23)}-c0ffee${made.slice(30)}`;
}

/** The name of the organization of a domain. */
export const organizationOf = (domain: string): string => (isContosos(domain) ? tenant.name : `${domain} (sandbox)`);

const domainOf = (address: string): string => address.slice(address.indexOf('@') + 1).toLowerCase();

/** The tenant that an account is from. */
export const homeTenantOf = (address: string): string => tenantIdOf(domainOf(address));

/** Has the tenant an account of this address? Contoso's administrator is a guest with a role in every tenant, as a service provider's is. */
export const isIn = (tenantId: string | undefined, address: string): boolean =>
  tenantId === undefined || homeTenantOf(address) === tenantId || address === administrator;

/**
 * Everybody rehearses with an address of their own, so every domain has a tenant. A few have none, so that this can be rehearsed as well:
 * personal domains, a mistyped contoso.example, `nowhere.…`, and what ends in `.invalid` (RFC 2606 section 2).
 */
function isTenantDomain(domain: string): boolean {
  if (isContosos(domain)) return true;
  const isNowhere = /^nowhere\.|\.invalid$/.test(domain) || personalDomains.test(domain) || nearest(domain, tenant.domains) !== undefined;
  return !isNowhere && /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*$/.test(domain);
}

/** The account of this address, whether it may sign in or not. */
export function userNamed(address: string): User {
  const local = address.slice(0, address.indexOf('@'));
  const displayName = local.replace(/(?:^|[._-])([a-z0-9])/g, (_, letter: string) => ` ${letter.toUpperCase()}`).trim();
  return { address, objectId: stableGuid(`user ${address}`), displayName };
}

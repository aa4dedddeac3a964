import { Exit } from '../../../core/errors.ts';
import { led, mailauth, noted } from '../../../core/next.ts';
import { entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { accessEntries } from './access-errors.ts';
import { accountEntries } from './account-errors.ts';
import { deviceEntries } from './device-errors.ts';
import { appEntries } from './entra-app-errors.ts';
import { elsewhereEntries } from './entra-elsewhere-errors.ts';
import { personEntries } from './entra-person-errors.ts';
import { type EntraWords, setup } from './entra-words.ts';
import { federationEntries } from './federation-errors.ts';
import { redirectEntries } from './redirect-errors.ts';
import { requestEntries } from './request-errors.ts';

const unknownTenant = [90002, 900023, 50128, 50059, 90019, 90126];

/** What AADSTS numbers mean; each number in one entry only (a test keeps it so). */
export const aadstsEntries = {
  ...appEntries,
  ...personEntries,
  ...elsewhereEntries,
  ...accessEntries,
  ...federationEntries,
  ...redirectEntries,
  ...requestEntries,
  ...deviceEntries,
  'tenant-unknown': entry<Partial<Pick<EntraWords, 'mailbox' | 'tenant' | 'cloud'>> & { readonly domain?: string }>({
    exit: Exit.failed,
    source: sources.aadsts,
    title: (v) =>
      `${v.cloud?.name === 'sandbox' ? 'The sandbox has' : 'Microsoft found'} no tenant for ${v.domain ?? v.tenant ?? 'this address'}`,
    why: (v) =>
      v.cloud?.name === 'sandbox'
        ? 'It takes every domain of an organization, but no personal ones (outlook.com), no nowhere.… and no mistyped contoso.example.'
        : 'The name is mistyped, the domain is not in Microsoft 365, or it is in another Microsoft cloud.',
    next: (v) =>
      v.cloud?.name === 'sandbox' && v.domain === 'consumers'
        ? ['Personal mailboxes cannot be rehearsed. Take an address of an organization: helpdesk@contoso.example, or your own.']
        : [
            setup(v, { tenant: false }),
            'Check the spelling. Or name the tenant with --tenant: its domain or its id.',
            led('If it is in another Microsoft cloud, name that with --cloud', mailauth('help', 'clouds')),
          ],
    retryHelps: false,
    aadsts: unknownTenant,
  }),
};

/** Clouds, tenants and their endpoints; and everything Entra itself can refuse. */
export const entraEntries = {
  ...aadstsEntries,
  ...accountEntries,
  'cloud-unknown': entry<{ cloud: string; known: readonly string[] }>({
    exit: Exit.usage,
    source: sources.clouds,
    title: (v) => `There is no cloud "${v.cloud}"`,
    why: (v) => `The clouds are ${v.known.join(', ')}; a file can describe any other (--cloud-file).`,
    next: () => [mailauth('help', 'clouds')],
  }),
  'cloud-file-broken': entry<{ file: string; why: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `The cloud file ${v.file} cannot be used`,
    why: (v) => v.why,
    next: () => [mailauth('help', 'clouds')],
  }),
  'tenant-malformed': entry<{ tenant: string }>({
    exit: Exit.usage,
    source: sources.own,
    title: (v) => `"${v.tenant}" is neither a domain nor the id of a tenant`,
    why: () => 'It must be a domain such as contoso.com, or a GUID such as 9188040d-6c67-4c5b-b112-36a304b66dad.',
    next: () => [
      noted(mailauth('setup', { tenant: false }), "finds the tenant by the mailbox's domain"),
      'Name the tenant with --tenant: its domain or its id.',
    ],
  }),
  'tenant-other-cloud': entry<{ domain: string; cloud: string }>({
    exit: Exit.failed,
    source: sources.clouds,
    title: (v) => `${v.domain} is in another Microsoft cloud: ${v.cloud}`,
    next: (v) => [mailauth('setup', { tenant: v.domain, cloud: v.cloud })],
    retryHelps: false,
  }),
  'endpoints-not-v2': entry<{ domain: string; endpoint: string }>({
    exit: Exit.failed,
    source: sources.discovery,
    title: (v) => `The sign-in endpoints of ${v.domain} are not the v2 ones`,
    why: (v) => `Found ${v.endpoint}, but mail permissions need …/oauth2/v2.0/… addresses.`,
    next: () => [mailauth('doctor'), 'With a cloud file, check its "login".'],
    retryHelps: false,
  }),
  'endpoints-foreign': entry<{ domain: string; endpoint: string; login: string }>({
    exit: Exit.failed,
    source: sources.discovery,
    title: (v) => `The sign-in endpoints of ${v.domain} are on a host that is not expected`,
    why: (v) => `Found ${v.endpoint}, but only ${v.login} is trusted with a sign-in.`,
    next: () => [mailauth('doctor'), 'With a cloud file, check its "login".'],
    retryHelps: false,
  }),
  'discovery-unreadable': entry<{ domain: string; url: string; why: string }>({
    exit: Exit.failed,
    source: sources.discovery,
    title: (v) => `The tenant of ${v.domain} cannot be looked up`,
    why: (v) => `${v.url} ${v.why}.`,
    next: () => [mailauth('doctor'), 'A hotel or guest network may want its own sign-in page opened first.'],
  }),
  'discovery-busy': entry<{ domain: string; status: number; retryAfter?: number | undefined }>({
    exit: Exit.temporary,
    source: sources.discovery,
    title: () => "Microsoft's sign-in service cannot answer now",
    why: (v) => `It answered ${v.status} when asked for the tenant of ${v.domain}.`,
    next: (v) => [mailauth('setup'), `Try again in ${v.retryAfter === undefined ? 'a minute' : `${v.retryAfter} seconds`}.`],
  }),
};

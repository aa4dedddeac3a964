import { Exit } from '../../../core/errors.ts';
import { appPage, enterpriseApps } from '../../../core/links.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type EntraWords, login, setup } from './entra-words.ts';

const words = (e: Entry<EntraWords>): Entry<EntraWords> => entry<EntraWords>(e);

const nameTheTenant = 'Name the tenant of the app with --tenant: its domain or its id.';

/** AADSTS: the registration, its secret, its redirect address, its permissions. learn.microsoft.com/entra/identity-platform/reference-error-codes */
export const appEntries = {
  'client-unknown': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ['was not found in the directory', 'app was not found in the tenant', 'is not a valid application identifier'],
    title: (v) => `No application ${v.clientId} in the tenant ${v.tenant}`,
    why: () => 'The client ID is mistyped, the tenant is the wrong one, or the app was made less than a minute ago.',
    next: (v) => [
      setup(v, { clientId: false }),
      `Compare the ID with "Application (client) ID" in the portal: ${appPage(v, 'Overview')}`,
      'Not the Object ID and not the Secret ID: those look the same.',
    ],
    aadsts: [700016, 700011, 700038, 90112, 70001, 900491],
  }),
  'client-disabled': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    title: (v) => `The application ${v.clientId} is switched off`,
    why: () =>
      'An administrator switched it off in Enterprise apps, or Microsoft disabled it. An app that other people registered is not yours to switch on.',
    next: (v) => [
      login(v),
      'If it is the app of another program (Thunderbird, a mail fetcher), register an own application: mailauth setup.',
    ],
    says: ['is disabled … application', 'application … is disabled'],
    admin: (v) => `set "Enabled for users to sign in?" to Yes for app ${v.clientId}: ${enterpriseApps(v)}`,
    retryHelps: false,
    aadsts: [7000112, 1000031],
  }),
  'client-secret-wrong': words({
    exit: Exit.failed,
    source: sources.aadsts,
    hints: ['invalid_client'],
    says: ['Invalid client secret provided', 'Invalid client secret is provided'],
    title: () => 'Microsoft does not accept the client secret',
    why: () => "Often the Secret ID was copied instead of the Value, or it is another app's secret.",
    next: (v) => [
      setup(v, { clientId: v.clientId, clientSecretFile: '-' }),
      `The Value is shown once; if it is lost, make a new secret: ${appPage(v, 'Credentials')}`,
      'A secret that was made just now may need a minute.',
    ],
    aadsts: [7000215, 70002],
  }),
  'client-secret-expired': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ['client secret keys … are expired', 'client secret has expired', 'provided client secret keys are expired'],
    title: () => 'The client secret has expired',
    next: (v) => [
      setup(v, { clientId: v.clientId, clientSecretFile: '-' }),
      `Make a new secret under Certificates & secrets: ${appPage(v, 'Credentials')}`,
    ],
    retryHelps: false,
    aadsts: [7000222],
  }),
  'client-secret-missing': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ["must contain the following parameter: 'client_assertion' or 'client_secret'", "parameter: 'client_secret or client_assertion'"],
    title: () => 'This registration needs a client secret',
    why: () => 'Its redirect address is registered under "Web", or public client flows are off.',
    next: (v) => [
      setup(v, { clientId: v.clientId, clientType: 'confidential', clientSecretFile: '-' }),
      `Move http://localhost to "Mobile and desktop applications" and allow public client flows: ${appPage(v, 'Authentication')}`,
    ],
    retryHelps: false,
    aadsts: [7000218],
  }),
  'client-secret-unwanted': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ['Client is public so neither', 'Public clients should not send a client secret', "Public clients can't send a client secret"],
    title: () => 'This registration does not use a client secret',
    why: () => 'Its redirect address is registered under "Mobile and desktop applications", so it is a public client.',
    next: (v) => [
      setup(v, { clientId: v.clientId, clientType: 'public' }),
      `Move the redirect address to "Web": ${appPage(v, 'Authentication')}`,
    ],
    retryHelps: false,
    aadsts: [700025],
  }),
  'app-single-tenant': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ['is not configured as a multi-tenant application', 'configure the application to be multi-tenant'],
    title: () => 'This application signs in people of its own tenant only',
    why: () => 'It is registered as "Single tenant" and the sign-in went through another address (such as /common).',
    next: (v) => [setup(v), nameTheTenant, `Widen "Supported account types": ${appPage(v, 'Authentication')}`],
    retryHelps: false,
    aadsts: [50194, 650059],
  }),
  'app-personal-only': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: [
      "must not be configured with 'Consumer' as the user audience",
      "application's 'userAudience' configuration",
      'configured for use by Microsoft Account users only',
    ],
    title: () => 'This application is for personal Microsoft accounts only',
    why: () => 'It was asked through an address for work accounts, or for all (/common): that does not fit its account type (audience).',
    next: (v) => [setup(v, { tenant: 'consumers' }), `Widen "Supported account types": ${appPage(v, 'Authentication')}`],
    retryHelps: false,
    aadsts: [9002331, 9002346],
  }),
  'app-work-only': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: [
      'is not enabled for consumers',
      'configured for use by Azure Active Directory users only',
      'Please do not use the /consumers endpoint',
    ],
    title: () => 'This application is for work and school accounts only',
    why: () => 'A personal account (outlook.com, hotmail.com) needs an app that allows personal accounts.',
    next: (v) => [setup(v), nameTheTenant, `Widen "Supported account types": ${appPage(v, 'Authentication')}`],
    retryHelps: false,
    aadsts: [9002332, 90124, 90130],
  }),
  'scope-refused': words({
    exit: Exit.failed,
    source: sources.aadsts,
    hints: ['invalid_scope'],
    says: ["input parameter 'scope' is not valid", 'provided value for scope … is not valid', "must include a 'scope' input parameter"],
    title: () => 'Microsoft does not accept the permissions as they were asked for',
    why: (v) => (v.said === '' ? `Asked for: ${v.scopes.join(' ')}` : `Microsoft says: ${v.said}`),
    next: (v) => [setup(v), 'With a cloud file, check its "outlookScopeBase".'],
    retryHelps: false,
    aadsts: [28000, 90009, 70011, 28002, 28003, 700022, 700023, 1002012],
  }),
  'exchange-missing': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    title: (v) => `The tenant ${v.tenant} has no Exchange Online that this app may use`,
    says: [
      'has not subscribed to or enabled',
      'resource principal named … outlook … was not found',
      'resource principal named … 00000002-0000-0ff1-ce00 … was not found',
    ],
    why: () => 'No Exchange Online licence, its enterprise app is disabled, or it is the wrong cloud.',
    next: (v) => [setup(v)],
    admin: (v) => `assign an Exchange Online licence, and enable "Office 365 Exchange Online" for sign-in: ${enterpriseApps(v)}`,
    retryHelps: false,
    aadsts: [650052, 650054, 500014],
  }),
  'permission-undeclared': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    title: () => 'The registration does not list the mail permissions',
    why: () => 'Under "API permissions" the permissions for IMAP, POP or SMTP are missing.',
    next: (v) => [login(v), `Add them first (delegated, Microsoft Graph): ${appPage(v, 'CallAnAPI')}`],
    admin: (v) => `add the delegated permissions ${names(v)} and press "Grant admin consent": ${appPage(v, 'CallAnAPI')}`,
    retryHelps: false,
    says: ['not listed in the requested permissions', "doesn't have the required permissions listed"],
    aadsts: [650057, 65005, 650056],
  }),
  'first-party-app': words({
    exit: Exit.failed,
    source: sources.aadsts,
    says: ['must be configured via preauthorization'],
    title: (v) => `The application ${v.clientId} is Microsoft's own and may not ask for this`,
    why: () =>
      'An application of Microsoft gets only what Microsoft allowed it beforehand. A program for mail needs a registration of its own.',
    next: (v) => [setup(v, { clientId: false }), 'Use a registration of your own tenant.'],
    retryHelps: false,
    aadsts: [65002],
  }),
};

function names(v: EntraWords): string {
  const mail = v.scopes.filter((scope) => scope.includes('://'));
  return (mail.length === 0 ? v.scopes : mail).map((scope) => scope.slice(scope.lastIndexOf('/') + 1)).join(', ');
}

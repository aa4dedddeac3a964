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
    hints: ['unauthorized_client'],
    title: (v) => `No application ${v.clientId} in the tenant ${v.tenant}`,
    why: () => 'The client ID is mistyped, the tenant is the wrong one, or the app was made less than a minute ago.',
    next: (v) => [
      setup(v, { clientId: false }),
      `Compare the ID with "Application (client) ID" in the portal: ${appPage(v, 'Overview')}`,
      'Not the Object ID and not the Secret ID: those look the same.',
    ],
    aadsts: [700016, 700011, 700038, 90112, 70001],
  }),
  'client-disabled': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    title: (v) => `The application ${v.clientId} is switched off`,
    why: () => 'In Enterprise apps, "Enabled for users to sign in?" says No. Sign in again once it says Yes.',
    next: (v) => [login(v)],
    admin: (v) => `set "Enabled for users to sign in?" to Yes for app ${v.clientId}: ${enterpriseApps(v)}`,
    retryHelps: false,
    aadsts: [7000112],
  }),
  'client-secret-wrong': words({
    exit: Exit.failed,
    source: sources.aadsts,
    hints: ['invalid_client'],
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
    title: () => 'This registration does not use a client secret',
    why: () => 'Its redirect address is registered under "Mobile and desktop applications", so it is a public client.',
    next: (v) => [
      setup(v, { clientId: v.clientId, clientType: 'public' }),
      `Move the redirect address to "Web": ${appPage(v, 'Authentication')}`,
    ],
    retryHelps: false,
    aadsts: [700025],
  }),
  'redirect-mismatch': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: () => 'The redirect address is not registered with the application',
    why: (v) =>
      `The app must list ${v.redirectUri ?? 'http://localhost'}, exactly as it is written here; only the port of localhost can differ.`,
    next: (v) => [
      login(v),
      `Add it first, under "Mobile and desktop applications" (with a secret: "Web"): ${appPage(v, 'Authentication')}`,
    ],
    retryHelps: false,
    aadsts: [50011, 500112, 500113, 70004, 900971, 90102],
  }),
  'redirect-single-page': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: () => 'The redirect address is registered under the wrong platform',
    why: () => 'Under "Single-page application" only a web page can redeem the sign-in.',
    next: (v) => [login(v), `Move http://localhost to "Mobile and desktop applications" first: ${appPage(v, 'Authentication')}`],
    retryHelps: false,
    aadsts: [9002327, 9002326, 9002325, 700084],
  }),
  'app-single-tenant': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: () => 'This application signs in people of its own tenant only',
    why: () => 'It is registered as "Single tenant" and the sign-in went through another address.',
    next: (v) => [setup(v), nameTheTenant, `Widen "Supported account types": ${appPage(v, 'Authentication')}`],
    retryHelps: false,
    aadsts: [50194, 650059],
  }),
  'app-personal-only': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: () => 'This application is for personal Microsoft accounts only',
    next: (v) => [setup(v, { tenant: 'consumers' }), `Widen "Supported account types": ${appPage(v, 'Authentication')}`],
    retryHelps: false,
    aadsts: [9002331],
  }),
  'app-work-only': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: () => 'This application is for work and school accounts only',
    why: () => 'A personal account (outlook.com, hotmail.com) needs an app that allows personal accounts.',
    next: (v) => [setup(v), nameTheTenant, `Widen "Supported account types": ${appPage(v, 'Authentication')}`],
    retryHelps: false,
    aadsts: [9002332, 90124, 90130, 9001023],
  }),
  'scope-refused': words({
    exit: Exit.failed,
    source: sources.aadsts,
    hints: ['invalid_scope'],
    title: () => 'Microsoft does not accept the permissions as they were asked for',
    why: (v) => `Asked for: ${v.scopes.join(' ')}`,
    next: (v) => [setup(v), 'With a cloud file, check its "outlookScopeBase".'],
    retryHelps: false,
    aadsts: [28000, 90009, 70011, 28002, 28003, 700022, 700023, 1002012],
  }),
  'exchange-missing': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    hints: ['invalid_resource'],
    title: (v) => `The tenant ${v.tenant} has no Exchange Online that this app may use`,
    why: () => 'No Exchange Online licence, its enterprise app is disabled, or it is the wrong cloud.',
    next: (v) => [setup(v)],
    admin: (v) => `assign an Exchange Online licence, and enable "Office 365 Exchange Online" for sign-in: ${enterpriseApps(v)}`,
    retryHelps: false,
    aadsts: [500011, 650052, 650054, 500014, 50001],
  }),
  'permission-undeclared': words({
    exit: Exit.notAllowed,
    source: sources.aadsts,
    title: () => 'The registration does not list the mail permissions',
    why: () => 'Under "API permissions" the permissions for IMAP, POP or SMTP are missing.',
    next: (v) => [login(v), `Add them first (delegated, Microsoft Graph): ${appPage(v, 'CallAnAPI')}`],
    admin: (v) => `add the delegated permissions ${names(v)} and press "Grant admin consent": ${appPage(v, 'CallAnAPI')}`,
    retryHelps: false,
    aadsts: [650057, 65005, 650056],
  }),
  'first-party-app': words({
    exit: Exit.failed,
    source: sources.aadsts,
    title: (v) => `The application ${v.clientId} is Microsoft's own and is not allowed to read mail this way`,
    next: (v) => [setup(v, { clientId: false }), 'Use a registration of your own tenant.'],
    retryHelps: false,
    aadsts: [65002],
  }),
  'request-refused': words({
    exit: Exit.failed,
    source: sources.aadsts,
    hints: ['invalid_request', 'unsupported_grant_type', 'unsupported_response_type'],
    title: () => 'Microsoft calls the request malformed',
    why: () => 'Usually a code or a token was cut, or it belongs to another app.',
    next: (v) => [login(v, { force: true })],
    aadsts: [9002313, 70005, 70007, 90015, 900144, 90014, 90023, 90013, 90100, 90004, 50147, 50148, 501481, 50149, 501491, 70003, 700005],
  }),
};

function names(v: EntraWords): string {
  const mail = v.scopes.filter((scope) => scope.includes('://'));
  return (mail.length === 0 ? v.scopes : mail).map((scope) => scope.slice(scope.lastIndexOf('/') + 1)).join(', ');
}

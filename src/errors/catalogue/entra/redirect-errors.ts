import { Exit } from '../../../core/errors.ts';
import { appPage } from '../../../core/links.ts';
import { type Entry, entry } from '../../entry/entry.ts';
import { sources } from '../../entry/sources.ts';
import { type EntraWords, login } from './entra-words.ts';

const words = (e: Entry<EntraWords>): Entry<EntraWords> => entry<EntraWords>(e);

type Place = 'loopback' | 'plain-http' | 'server' | 'own-scheme' | 'unknown';

/** Where a redirect address leads, which decides how Entra takes it (learn.microsoft.com/entra/identity-platform/reply-url). */
function placeOf(redirectUri: string | undefined): Place {
  if (redirectUri === undefined || !URL.canParse(redirectUri)) return 'unknown';
  const { protocol, hostname } = new URL(redirectUri);
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname)) return 'loopback';
  if (protocol === 'http:') return 'plain-http';
  return protocol === 'https:' ? 'server' : 'own-scheme';
}

const platforms: Readonly<Record<Exclude<Place, 'plain-http'>, string>> = {
  loopback: '"Mobile and desktop applications" (with a client secret: "Web")',
  server: '"Web"',
  'own-scheme': '"Mobile and desktop applications"',
  unknown: 'the platform of the program: "Web" for a server, "Mobile and desktop applications" for a program on a computer',
};

/** The menu of 2026; older screens have "Add a platform" (docs/microsoft.md, "Portal pages"). */
const addRedirect = 'Redirect URI configuration > Add; formerly Add a platform';

const behindProxy =
  'Let the program send https: behind a proxy that ends TLS, it must be told its outside address (a base URL, or X-Forwarded-Proto).';

/** A redirect address that does not fit the registration. Each is judged by the address itself. */
export const redirectEntries = {
  'redirect-mismatch': words({
    exit: Exit.failed,
    source: sources.redirects,
    says: ['does not match the redirect URIs configured', 'does not match the reply URLs configured', 'does not match the reply URL'],
    title: () => 'The redirect address is not registered with the application',
    why: (v) => {
      if (v.redirectUri === undefined) return 'The app must list the address that the program sends, letter by letter.';
      return placeOf(v.redirectUri) === 'plain-http'
        ? `The program sends ${v.redirectUri}. Entra takes http for localhost only, so that address cannot be registered.`
        : `The app must list ${v.redirectUri}, letter by letter${placeOf(v.redirectUri) === 'loopback' ? '; only the port of localhost can differ' : ''}.`;
    },
    next: (v) => {
      const place = placeOf(v.redirectUri);
      if (place === 'plain-http') return [behindProxy, `Then register its https address under "Web": ${appPage(v, 'Authentication')}`];
      const add = `Add it under ${platforms[place]} (${addRedirect}): ${appPage(v, 'Authentication')}`;
      return place === 'loopback' || place === 'unknown'
        ? [login(v), add.replace('Add it', 'Add it first,')]
        : [add, 'Then sign in again in the program that asked.'];
    },
    retryHelps: false,
    aadsts: [50011, 70004],
  }),
  'redirect-insecure': words({
    exit: Exit.failed,
    source: sources.redirects,
    says: [
      'Reply URIs must use https',
      'redirect URIs must use https',
      "isn't using a secure scheme",
      'is not using a secure scheme',
      'must start with "HTTPS" or "http://localhost"',
    ],
    title: () => 'Entra takes no redirect address with plain http but localhost',
    why: () => 'A server needs an https address.',
    next: (v) => [behindProxy, `Then register its https address under "Web": ${appPage(v, 'Authentication')}`],
    retryHelps: false,
    aadsts: [500117],
  }),
  'redirect-malformed': words({
    exit: Exit.failed,
    source: sources.redirects,
    says: ['must be a valid absolute URI', 'reply uri specified in the request has an invalid scheme'],
    title: () => 'The redirect address that the program sends is not a whole address',
    why: () => 'It must be absolute: with its scheme (https://), host and path.',
    next: () => ['Set the base URL, the callback or the redirect address in the program, with https:// in front.'],
    retryHelps: false,
    aadsts: [90102, 500111],
  }),
  'redirect-differs': words({
    exit: Exit.failed,
    source: sources.redirects,
    says: [
      'does not match the reply address … provided when requesting Authorization code',
      'presenting an authorization code requested with an explicit reply address',
    ],
    title: () => 'The program named two different redirect addresses in one sign-in',
    why: () => 'The address with which a code is redeemed must be the one with which it was asked for, letter by letter.',
    next: () => [
      'Give the program one redirect address for both steps: same scheme, host, port, path and final slash.',
      'Then sign in again.',
    ],
    retryHelps: false,
    aadsts: [500112, 700009],
  }),
  'redirect-missing': words({
    exit: Exit.failed,
    source: sources.redirects,
    says: ['No reply address is registered', 'No reply address provided'],
    title: () => 'The application has no redirect address, or the program sent none',
    why: () => 'After the sign-in Microsoft sends the browser to an address that both the registration and the request must name.',
    next: (v) => [
      `Compare the address in the program with those under Authentication: ${appPage(v, 'Authentication')}`,
      'The address of a server belongs under "Web", that of a program on a computer under "Mobile and desktop applications".',
    ],
    retryHelps: false,
    aadsts: [500113, 900971],
  }),
  'redirect-single-page': words({
    exit: Exit.failed,
    source: sources.redirects,
    says: [
      'Cross-origin token redemption is permitted only',
      'required for cross-origin authorization code redemption',
      'may only be redeemed via cross-origin requests',
    ],
    title: () => 'The redirect address is registered under the wrong platform',
    why: () =>
      'An address under "Single-page application" serves scripts in a browser (cross-origin) only, and every other one serves programs only.',
    next: (v) => [
      login(v),
      `First remove it under "Single-page application", and add it under "Web": ${appPage(v, 'Authentication')}`,
      'The address of a program on a computer belongs under "Mobile and desktop applications" instead.',
    ],
    retryHelps: false,
    aadsts: [9002327, 9002326, 9002325, 700084],
  }),
};

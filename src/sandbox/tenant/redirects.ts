import type { App } from './state-schema.ts';

type Redirects = Pick<App, 'publicRedirects' | 'webRedirects'>;

/** Which platform of the app this redirect URI is registered on, or undefined: Entra then shows AADSTS50011 and never redirects. */
export function platformOf(app: Redirects, redirectUri: string): 'public' | 'web' | undefined {
  if (app.publicRedirects.some((registered) => matches(registered, redirectUri))) return 'public';
  if (app.webRedirects.some((registered) => matches(registered, redirectUri))) return 'web';
  return undefined;
}

/**
 * Why Entra would not register this redirect URI, or undefined (learn.microsoft.com, reply-url).
 * @param personal the audience has personal accounts, which rule out a query string and a wildcard
 */
export function redirectProblem(uri: string, platform: 'public' | 'web' | 'spa', personal: boolean): string | undefined {
  if (uri.length > 256) return 'is longer than 256 characters';
  // Checked on the text, because the URL parser would change what Entra compares literally.
  if (/[!$'(),;\s]/.test(uri) || /[^\x21-\x7e]/.test(uri)) return 'contains a character that is not allowed';
  if (platform === 'public' && uri === 'urn:ietf:wg:oauth:2.0:oob') return undefined;
  if (!URL.canParse(uri) || !/^[a-z][a-z0-9+.-]*:\/\/./i.test(uri)) return 'is not a valid absolute URI';
  const url = new URL(uri);
  if (uri.includes('#')) return 'contains a fragment';
  if (url.username !== '' || url.password !== '') return 'contains user information';
  if (uri.includes('*') && (personal || platform !== 'web')) return 'contains a wildcard';
  if (url.search !== '' && personal) return 'contains a query string, which is not allowed with personal accounts';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol === 'http:') {
    return ['localhost', '127.0.0.1'].includes(url.hostname) ? undefined : 'must start with HTTPS, or http://localhost';
  }
  return platform === 'public' ? undefined : 'must start with HTTPS, or http://localhost';
}

/**
 * Exact, except that the port of `http://localhost` is ignored (RFC 8252 section 7.3; learn.microsoft.com, reply-url).
 * The path must be the same, with its case. An empty path equals `/`.
 */
function matches(registered: string, given: string): boolean {
  if (registered === given) return true;
  if (!URL.canParse(registered) || !URL.canParse(given)) return false;
  const [a, b] = [new URL(registered), new URL(given)];
  const loopback = a.protocol === 'http:' && b.protocol === 'http:' && a.hostname === 'localhost' && b.hostname === 'localhost';
  const bare = b.username === '' && b.password === '' && b.hash === '';
  return loopback && bare && a.pathname === b.pathname && a.search === b.search;
}

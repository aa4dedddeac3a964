import type { App } from './state.ts';

/** Which platform of the app this redirect URI is registered on, or undefined: Entra then shows AADSTS50011 and never redirects. */
export function platformOf(app: App, redirectUri: string): 'public' | 'web' | undefined {
  if (app.publicRedirects.some((registered) => matches(registered, redirectUri))) return 'public';
  if (app.webRedirects.some((registered) => matches(registered, redirectUri))) return 'web';
  return undefined;
}

/**
 * Exact, except that the port of `http://localhost` is ignored (RFC 8252 section 7.3; learn.microsoft.com, reply-url).
 * The path counts, and its case; none is the same as `/`.
 */
function matches(registered: string, given: string): boolean {
  if (registered === given) return true;
  if (!URL.canParse(registered) || !URL.canParse(given)) return false;
  const [a, b] = [new URL(registered), new URL(given)];
  const loopback = a.protocol === 'http:' && b.protocol === 'http:' && a.hostname === 'localhost' && b.hostname === 'localhost';
  const bare = b.username === '' && b.password === '' && b.hash === '';
  return loopback && bare && a.pathname === b.pathname && a.search === b.search;
}

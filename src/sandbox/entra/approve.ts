import type { Context, HttpResponse } from '../../core/context.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { administrator, azureCli } from '../tenant/directory.ts';
import { forms } from './sign-in-pages.ts';

const timeoutMs = 20_000;
const mostHops = 5;

/**
 * Plays the person at the sandbox's own pages: opens the authorize address, picks the account, accepts, and follows
 * the redirect to the loopback listener until a page stands still.
 * @param as the account; else the one of `login_hint`, else the administrator where one is wanted, else `otherwise`
 * @throws `sandbox-sign-in-stopped` (with `detail.aadsts`) when the pages end in an error that Entra never delivers to the app
 */
export async function approve(
  ctx: Pick<Context, 'network' | 'signal'>,
  authorizationUrl: string,
  as: string | undefined,
  otherwise: string,
): Promise<void> {
  const { network, signal } = ctx;
  let start = new URL(authorizationUrl);
  const get = (url: string) => network.request({ method: 'GET', url, timeoutMs, signal });
  const post = (path: string, fields: Readonly<Record<string, string>>) =>
    network.request({
      method: 'POST',
      url: new URL(path, start).href,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
      timeoutMs,
      signal,
    });

  let page = await get(start.href);
  // The address on the https server leads to the same page on the one for browsers.
  const pages = locationOf(page, start);
  if (pages?.pathname === start.pathname && pages.origin !== start.origin && /\/(?:authorize|adminconsent)$/.test(start.pathname)) {
    start = pages;
    page = await get(start.href);
  }
  if (page.status === 200) {
    const account = as ?? start.searchParams.get('login_hint') ?? (wantsAdministrator(start) ? administrator : otherwise);
    page = await post(forms.account, { ticket: ticketOf(page), account });
  }
  // Consent remembered from an earlier sign-in redirects at once.
  if (page.status === 200) {
    const decision = page.text.includes('value="accept"') ? 'accept' : 'cancel';
    page = await post(forms.consent, { ticket: ticketOf(page), decision });
  }
  if (locationOf(page, start) === undefined) throw stopped(page);
  let at = start;
  for (let hop = 0; hop < mostHops; hop++) {
    const next = locationOf(page, at);
    if (next === undefined) return;
    // Only this computer: the person's browser would go elsewhere too, but nobody asked us to.
    if (!['localhost', '127.0.0.1', '[::1]'].includes(next.hostname)) return;
    at = next;
    page = await get(next.href);
  }
}

/**
 * The same for the device code flow: types the code, picks the account, accepts.
 * @throws `sandbox-sign-in-stopped` when the pages end in an error, as Entra shows it and never tells the app
 */
export async function approveDevice(
  { network, signal }: Pick<Context, 'network' | 'signal'>,
  verificationUri: string,
  userCode: string,
  as: string,
): Promise<void> {
  const post = (path: string, fields: Readonly<Record<string, string>>) =>
    network.request({
      method: 'POST',
      url: new URL(path, verificationUri).href,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
      timeoutMs,
      signal,
    });
  const picker = await post(forms.device, { code: userCode });
  const consent = await post(forms.account, { ticket: ticketOf(picker), account: as });
  const decision = consent.text.includes('value="accept"') ? 'accept' : 'cancel';
  const end = await post(forms.consent, { ticket: ticketOf(consent), decision });
  if (end.status !== 200) throw stopped(end);
}

/** Admin consent, and the app as which people sign in to register another. */
function wantsAdministrator(start: URL): boolean {
  return start.pathname.endsWith('/adminconsent') || start.searchParams.get('client_id') === azureCli.clientId;
}

function ticketOf(page: HttpResponse): string {
  const ticket = /name="ticket" value="([^"]+)"/.exec(page.text)?.[1];
  if (ticket === undefined) throw stopped(page);
  return ticket;
}

function locationOf(page: HttpResponse, base: URL): URL | undefined {
  const { location } = page.headers;
  return page.status >= 300 && page.status < 400 && location !== undefined ? new URL(location, base) : undefined;
}

function stopped(page: HttpResponse): Error {
  const shown = /<p id="error"[^>]*>([^<]*)</.exec(page.text)?.[1] ?? `status ${page.status}`;
  const said = plain(shown.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))));
  const aadsts = /^AADSTS(\d+)/.exec(said)?.[1];
  const correlationId = /Correlation ID: ([0-9a-f-]{36})/.exec(shown)?.[1];
  return problem(
    'sandbox-sign-in-stopped',
    { said: said.replace(/ Trace ID:.*$/, '') },
    {
      detail: {
        reply: said,
        ...(aadsts === undefined ? {} : { aadsts: Number(aadsts) }),
        ...(correlationId === undefined ? {} : { correlationId }),
      },
    },
  );
}

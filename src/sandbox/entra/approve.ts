import type { Context, HttpResponse } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { isMicrosofts } from '../tenant/directory.ts';
import { forms } from './sign-in-pages.ts';

const timeoutMs = 20_000;
const mostHops = 5;

type Ports = Pick<Context, 'network' | 'signal'>;

/**
 * Plays the person at the sandbox's own pages: opens the authorize address, picks the account, accepts, and follows
 * the redirect to the loopback listener until a page redirects no further.
 * @param as the account; else the one of `login_hint`, else the first that the page offers where it needs an administrator, else `otherwise`
 * @throws `sandbox-sign-in-stopped` (with `detail.aadsts`) when the pages end in an error that Entra never delivers to the app
 */
export async function approve(ctx: Ports, authorizationUrl: string, as: string | undefined, otherwise: string): Promise<void> {
  const get = (url: string) => ctx.network.request({ method: 'GET', url, timeoutMs, signal: ctx.signal });
  let start = new URL(authorizationUrl);
  let page = await get(start.href);
  // The https server redirects to the same page on the server for browsers.
  const pages = locationOf(page, start);
  if (pages?.pathname === start.pathname && pages.origin !== start.origin && /\/(?:authorize|adminconsent)$/.test(start.pathname)) {
    start = pages;
    page = await get(start.href);
  }
  if (page.status === 200) {
    const account = as ?? start.searchParams.get('login_hint') ?? (needsAdministrator(start) ? firstOf(page) : otherwise);
    page = await post(ctx, start, forms.account, { ticket: ticketOf(page), account });
  }
  // Where the consent was given in an earlier sign-in, the picker redirects at once.
  if (page.status === 200) page = await post(ctx, start, forms.consent, decisionOn(page));
  if (locationOf(page, start) === undefined) throw stopped(page);
  let at = start;
  for (let hop = 0; hop < mostHops; hop++) {
    const next = locationOf(page, at);
    if (next === undefined) return;
    // A browser would follow a redirect to another host too. The sandbox contacts this computer only.
    if (!['localhost', '127.0.0.1', '[::1]'].includes(next.hostname)) return;
    at = next;
    page = await get(next.href);
  }
}

/**
 * The same for the device code flow: types the code, picks the account, accepts.
 * @throws `sandbox-sign-in-stopped` when the pages end in an error that Entra shows and never delivers to the app
 */
export async function approveDevice(ctx: Ports, verificationUri: string, userCode: string, as: string): Promise<void> {
  const start = new URL(verificationUri);
  const picker = await post(ctx, start, forms.device, { code: userCode });
  const consent = await post(ctx, start, forms.account, { ticket: ticketOf(picker), account: as });
  const end = await post(ctx, start, forms.consent, decisionOn(consent));
  if (end.status !== 200) throw stopped(end);
}

function post({ network, signal }: Ports, start: URL, path: string, fields: Readonly<Record<string, string>>): Promise<HttpResponse> {
  return network.request({
    method: 'POST',
    url: new URL(path, start).href,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
    timeoutMs,
    signal,
  });
}

/** Accept where the page offers it, else the way back. */
function decisionOn(page: HttpResponse) {
  return { ticket: ticketOf(page), decision: page.text.includes('value="accept"') ? 'accept' : 'cancel' };
}

/** Admin consent needs an administrator, and so does a sign-in as an app of Microsoft. */
function needsAdministrator(start: URL): boolean {
  return start.pathname.endsWith('/adminconsent') || isMicrosofts(start.searchParams.get('client_id') ?? '');
}

/** A tenant's pages offer its Global Administrator first. */
const firstOf = (page: HttpResponse): string => /name="account" value="([^"]+)"/.exec(page.text)?.[1] ?? '';

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
        ...defined({ aadsts: aadsts === undefined ? undefined : Number(aadsts), correlationId }),
      },
    },
  );
}

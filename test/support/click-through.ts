import type { Browser } from '../../src/core/context.ts';

/**
 * The person at the sandbox's pages, without a browser: picks the account of the hint, else the administrator (nobody is hinted where
 * one is wanted), or the one that `as` names, and accepts. Answers where the sign-in leads back to; nobody has gone there yet.
 */
export async function clickThrough(url: string, as?: string): Promise<string> {
  const account = as ?? new URL(url).searchParams.get('login_hint') ?? 'admin@contoso.example';
  const post = (path: string, fields: Record<string, string>) =>
    fetch(new URL(path, url), { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) });
  const ticketOf = async (page: Response) => /name="ticket" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
  let page = await post('/sandbox/account', { ticket: await ticketOf(await fetch(url)), account });
  // Consent that is remembered leads back at once.
  if (page.status === 200) page = await post('/sandbox/consent', { ticket: await ticketOf(page), decision: 'accept' });
  const back = page.headers.get('location');
  if (back === null) throw new Error(`the sandbox did not lead back: ${page.status}`);
  return back;
}

/** A browser in which somebody signs in and accepts at each page that is opened. `seen`: the addresses. */
export const acceptingBrowser = (seen: string[] = []): Browser => ({
  usable: true,
  async open(url) {
    seen.push(url);
    void clickThrough(url).then((back) => fetch(back));
    return { kind: 'opened' };
  },
});

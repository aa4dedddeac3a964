import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clickThrough } from '../support/click-through.ts';
import { newHome, type Run, startMailauth } from './rigs/chromium.ts';

/** `kill -9` while a proof before the hand-over stands in the registration: the next run takes its redirect away again. */
const callback = 'https://help.contoso.example/api/auth/oauth2';
const guides = [
  { name: 'osticket', own: callback, flags: ['--redirect-uri', callback] },
  { name: 'supportpal', own: callback, flags: ['--redirect-uri', callback] },
  { name: 'mspbots', own: 'https://app.mspbots.ai/web/um/smtp/redirect', flags: [] },
];

let home: Awaited<ReturnType<typeof newHome>>;
beforeEach(async () => {
  home = await newHome();
});
afterEach(() => home.remove());

/** No `--yes` magic: a browser that "opens" and in which nobody does anything; the test is the person. */
const start = (argv: readonly string[]): Run =>
  startMailauth(['setup', '--sandbox', '--yes', '--json', ...argv], { ...home.env, BROWSER: 'true' });
const inSandbox = (...path: string[]) => join(home.path, 'sandbox', ...path);
const state = async () => JSON.parse(await readFile(inSandbox('state.json'), 'utf8'));
/** of the one app that was registered, beside the two that the sandbox brings along */
async function redirects(): Promise<readonly string[]> {
  const registered = (await state()).apps.slice(2);
  expect(registered).toHaveLength(1);
  return registered[0].webRedirects;
}
const clicked = async (run: Run, nth: number) =>
  (await fetch(await clickThrough(String((await run.line('authorization_required', nth)).url)))).text();

it.each(guides)('$name', async ({ name, own, flags }) => {
  const proof = ['--for', name, ...flags, '--sign-in', 'browser'];
  const killed = start(proof);
  await clicked(killed, 1);
  // The mailbox is asked to sign in: the redirect to this computer stands now.
  const { url } = await killed.line('authorization_required', 2);
  const added = new URL(String(url)).searchParams.get('redirect_uri');
  expect(added).toMatch(/^http:\/\/localhost:\d+\/mailauth$/);
  expect(await redirects()).toEqual([own, added]);
  killed.kill();
  expect(await killed.ended).toBe(null);
  expect(await redirects()).toEqual([own, added]);

  // The same command again proves it, with a redirect of its own, and leaves neither of the two.
  const again = start(proof);
  await clicked(again, 1);
  const second = new URL(String((await again.line('authorization_required', 2)).url)).searchParams.get('redirect_uri');
  expect((await redirects()).filter((uri) => uri !== own)).toEqual([second]);
  await clicked(again, 2);
  expect([await again.ended, again.stderr()]).toEqual([0, '']);
  expect(await again.line('result')).toMatchObject({ ok: true, data: { signedIn: false, for: name } });
  expect(await redirects()).toEqual([own]);
  const [app] = (await state()).apps.slice(2);
  expect(app.secrets).toHaveLength(1);
  expect(await readdir(inSandbox('setups'))).toEqual([]);
  // Nothing of the proof is kept: one client secret, no token.
  const kept = Object.keys(JSON.parse(await readFile(inSandbox('secrets.json'), 'utf8')).secrets);
  expect(kept.filter((entry) => entry.includes('token'))).toEqual([]);
});

it('killed, and then without a proof: --sign-in skip takes it away as well', async () => {
  const [{ name, own, flags } = { name: '', own: '', flags: [] }] = guides;
  const killed = start(['--for', name, ...flags, '--sign-in', 'browser']);
  await clicked(killed, 1);
  await killed.line('authorization_required', 2);
  killed.kill();
  await killed.ended;
  expect(await redirects()).toHaveLength(2);
  const again = start(['--for', name, '--resume', '--sign-in', 'skip']);
  await clicked(again, 1);
  expect(await again.ended).toBe(0);
  expect(await redirects()).toEqual([own]);
});

import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { mailauth } from '../../../src/core/next.ts';
import { problem } from '../../../src/errors/problem.ts';
import { browserTrip } from '../../../src/oauth/browser-trip.ts';
import { successPage } from '../../../src/oauth/loopback-pages.ts';
import type { SignInView } from '../../../src/oauth/sign-in-view.ts';
import { systemClock } from '../../../src/system/clock-and-random.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { quickClock, reportNoting, testContext } from '../../support/context.ts';

const viewNoting = (notes: string[]): SignInView => ({
  ...{ report: reportNoting(notes), step: 'sign-in', atAddress: 'Sign in at:', inBrowser: 'Sign in there.' },
});

const redirectUri = 'https://app.example/cb';
let redirect = '';
const code = `1.AX0A${'b'.repeat(300)}`;

/** One trip without a listener; `paste` makes the lines that are pasted from the address that brings the code back. */
async function trip(paste: (address: string) => readonly string[], more: Parameters<typeof testContext>[0] = {}, loopback = false) {
  const notes: string[] = [];
  let lines: string[] = [];
  const ctx = testContext({ readLine: async () => lines.shift(), ...more });
  const got = await browserTrip(
    ctx,
    {
      redirectUri: loopback ? 'http://localhost' : redirectUri,
      loopback,
      method: more.browser === undefined ? 'paste' : 'browser',
      waitMs: 5000,
      again: mailauth('login'),
      canAsk: more.browser !== undefined,
      async address({ state, redirectUri: back }) {
        redirect = back;
        lines = [...paste(`${back}?code=${code}&state=${state}&session_state=x`)];
        return 'https://login.example/authorize';
      },
    },
    viewNoting(notes),
    async (answer) => ({ value: answer.kind === 'code' ? answer.code.reveal() : answer.kind, page: { ok: true, html: '' } as never }),
  );
  return { got, notes };
}

it('puts an address together that was pasted in pieces, wherever it was broken', async () => {
  for (const at of [40, 200, 345]) {
    expect((await trip((address) => [address.slice(0, at), address.slice(at)])).got).toBe(code);
  }
  expect((await trip((address) => address.match(/.{1,80}/g) ?? [])).got).toBe(code);
});

it('names the time that was given, and not what the listener counts: the address took its time, too', async () => {
  const clock = { ...systemClock, sleep: async (_ms: number, signal?: AbortSignal) => signal?.throwIfAborted() };
  const browser = { usable: true, open: async () => ({ kind: 'opened' as const }) };
  // The clock jumps while the address is made.
  let now = 0;
  const late = trip(
    () => {
      now += 1_000;
      return [];
    },
    { browser, clock: { ...clock, now: () => now }, files: { ...systemFiles, read: async () => undefined } },
    true,
  );
  await expect(late).rejects.toMatchObject({ code: 'sign-in-timeout', title: 'Nobody finished the sign-in within 5 seconds' });
});

it('begins anew with a whole address after a wrong page', async () => {
  const { got, notes } = await trip((address) => ['https://login.microsoftonline.com/error?code=50011', address]);
  expect(got).toBe(code);
  expect(notes.join()).toContain('mailauth explain AADSTS50011');
});

it('in Codespaces and WSL a browser that opened may end on a page that does not load: pasting is offered beside it', async () => {
  const browser = { usable: true, open: async () => ({ kind: 'opened' as const }) };
  for (const env of [{ CODESPACES: 'true' }, { WSL_DISTRO_NAME: 'Ubuntu' }]) {
    const { got, notes } = await trip((address) => [address], {
      browser,
      env,
      files: { ...systemFiles, read: async () => undefined },
    });
    expect(got).toBe(code);
    expect(notes.join()).toContain('copy its address and paste it here');
  }
});

const noFiles = { ...systemFiles, read: async () => undefined };
const opens = { usable: true, open: async () => ({ kind: 'opened' as const }) };
const fails = { usable: true, open: async () => ({ kind: 'failed' as const, why: 'no launcher' }) };
const none = { ...fails, usable: false };
const overX11 = { SSH_CONNECTION: '198.51.100.7 50022 192.0.2.10 22', USER: 'ada', DISPLAY: 'localhost:10.0' };

it.each([
  ['X11 over SSH', opens, overX11, /If no browser comes up on your screen.*ssh -L \d+:localhost:\d+ ada@192\.0\.2\.10/],
  ['SSH without a browser', none, overX11, /No browser can be opened here\. Open the address on your own computer.*ssh -L/],
  [
    'WSL, its launcher fails',
    fails,
    { WSL_DISTRO_NAME: 'Ubuntu' },
    /did not start \(no launcher\).*\(WSL\).*browser on Windows.*paste it here/,
  ],
  ['WSL, no browser', none, { WSL_DISTRO_NAME: 'Ubuntu' }, /\(WSL\).*paste it here/],
  ['Codespaces', none, { CODESPACES: 'true', KUBERNETES_SERVICE_HOST: '10.0.0.1' }, /a codespace.*https.*paste it here/],
  ['a container', none, { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, /a container.*paste the address/],
])('%s: says where the address is opened, and what to paste', async (_, browser, env, said) => {
  const loopback = 'SSH_CONNECTION' in env;
  const { got, notes } = await trip((address) => [address], { browser, env, files: noFiles }, loopback);
  expect(got).toBe(code);
  expect(notes.join(' ')).toMatch(said);
});

it('at the end of standard input it does not wait for nothing: exit 3', async () => {
  await expect(trip(() => [])).rejects.toMatchObject({ code: 'paste-ended', exit: 3 });
  await expect(trip(() => ['what is this'])).rejects.toMatchObject({ code: 'paste-ended' });
});

const insistsOnHttps = {
  usable: true,
  async open() {
    connect({ host: '127.0.0.1', port: Number(new URL(redirect).port) }).on('error', () => undefined);
    return { kind: 'opened' as const };
  },
};

/** A sign-in at which several people knock, all of them as the user `as` where the system is asked; only one account is right. */
async function knockedAt(codes: readonly string[], as?: number, clock = systemClock) {
  const notes: string[] = [];
  const pages: number[] = [];
  let back = '';
  const read = async (path: string): Promise<string | undefined> => {
    const text = await systemFiles.read(path);
    if (as === undefined || !path.startsWith('/proc/net/')) return text;
    const port = Number(new URL(back).port).toString(16).toUpperCase().padStart(4, '0');
    // The eighth column of a line whose remote end is the listener: the user at the browser's end.
    return text?.replace(new RegExp(`^(\\s*\\d+: \\S+ \\S+:${port} \\S+ \\S+ \\S+ \\S+ +)\\d+`, 'gm'), `$1${as}`);
  };
  const ctx = testContext({ files: { ...systemFiles, read }, browser: opens, clock });
  const trip = browserTrip(
    ctx,
    {
      ...{ redirectUri: 'http://localhost', loopback: true, method: 'browser', waitMs: 8_000, again: mailauth('login'), canAsk: false },
      async address({ state, redirectUri: to }) {
        back = `${to}/?state=${state}&code=`;
        return 'https://login.example/authorize';
      },
    },
    viewNoting(notes),
    async (answer) => {
      const given = answer.kind === 'code' ? answer.code.reveal() : answer.kind;
      if (given === 'stolen') throw problem('code-expired', {});
      if (given === 'bob') throw problem('wrong-account', { mailbox: 'ada@contoso.com', account: 'bob@contoso.com', signInAs: undefined });
      return { value: given, page: successPage({ mailbox: 'ada@contoso.com', account: 'ada@contoso.com' }) };
    },
  );
  const knocking = async (): Promise<void> => {
    await expect.poll(() => back).not.toBe('');
    for (const one of codes) pages.push((await fetch(`${back}${one}`)).status);
  };
  const [got] = await Promise.allSettled([trip, knocking()]);
  return { got: got.status === 'fulfilled' ? got.value : got.reason, notes: notes.join('\n'), pages };
}

it('a wrong account does not end the sign-in while another tab has the right one', async () => {
  const both = await knockedAt(['bob', 'ada']);
  expect(both).toMatchObject({ got: 'ada', pages: [400, 200], notes: expect.stringContaining('That was the wrong account') });
  const alone = await knockedAt(['bob'], undefined, quickClock);
  expect(alone.got).toMatchObject({ code: 'wrong-account' });
  // The account that came in is never the first advice.
  expect(JSON.stringify(alone.got.next[0])).not.toContain('bob@');
});

it('what another user of the computer brings does not end the sign-in, whatever is wrong with it', async () => {
  const { got, notes } = await knockedAt(['stolen', 'bob', 'ada'], 65_534);
  expect([got, notes]).toEqual(['ada', expect.stringContaining('Another user of this computer')]);
  // The same answers of the person's own browser end it, and so do those that root relays (WSL).
  expect((await knockedAt(['stolen'])).got).toMatchObject({ code: 'code-expired' });
  expect((await knockedAt(['stolen'], 0)).got).toMatchObject({ code: 'code-expired' });
});

it('a browser in https-only mode is told of at once, and the pasted address is asked for', async () => {
  const { got, notes } = await trip((address) => [address], { browser: insistsOnHttps }, true);
  expect(got).toBe(code);
  expect(notes).toEqual([expect.stringMatching(/https-only mode.*Allow http for localhost.*paste it here/)]);
});

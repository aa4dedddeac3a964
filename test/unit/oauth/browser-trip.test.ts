import { expect, it } from 'vitest';
import { mailauth } from '../../../src/core/next.ts';
import { browserTrip } from '../../../src/oauth/browser-trip.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { testContext } from '../../support/context.ts';

const redirectUri = 'https://app.example/cb';
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
        lines = [...paste(`${back}?code=${code}&state=${state}&session_state=x`)];
        return 'https://login.example/authorize';
      },
    },
    { authorizationRequired: () => undefined, note: (text) => notes.push(text), waiting: () => undefined },
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

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Machine, machine, person } from '../support/command-line.ts';
import { quickClock } from '../support/context.ts';
import { beside, hurried, onlyApp } from '../support/tenant.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const ready = '--no-test --register existing';

describe('--sign-in device', () => {
  it('sets up: address and code each on a line of its own, the deadline in words, a QR code when asked', async () => {
    const ran = await m.mailauth(`setup --sandbox --yes ${ready} --sign-in device --qr`, hurried());
    expect([ran.exit, ran.err.split('\n')]).toEqual([0, expect.arrayContaining([expect.stringMatching(/^http:\/\/localhost:\d+\/\S+$/)])]);
    expect(ran.err).toMatch(/\n[A-Z]{9}\n/);
    expect(ran.err).toMatch(/The code is valid until \d\d:\d\d, 15 minutes\./);
    expect(ran.err).toContain('█▀▀');
    expect((await m.mailauth('token get --sandbox')).out).toMatch(/^eyJ/);
  });

  it('registers the app with public client flows, so that the code is accepted', async () => {
    expect((await m.mailauth('setup --sandbox --yes --no-test --sign-in device', hurried())).exit).toBe(0);
  });

  it('login asks for no code where mailauth registered the app without them, and setup puts it right', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const login = 'login --sandbox --yes --force --no-test --sign-in device --json';
    const refused = (await m.mailauth(login)).lines();
    expect(refused.map((line) => line.type)).toEqual(['result']);
    expect(refused[0]?.error).toMatchObject({ code: 'device-needs-public-client', exit: 6 });
    const [first = ''] = refused[0]?.error?.next ?? [];
    expect(first).toBe(`mailauth setup --mailbox ${mailbox} --sign-in device --sandbox`);
    expect((await m.mailauth(`${first.replace('mailauth ', '')} --yes --no-test`, hurried())).exit).toBe(0);
    expect((await m.mailauth(login, hurried())).exit).toBe(0);
    const again = await m.mailauth(`setup --sandbox --yes --mailbox ${mailbox} --sign-in device --json`);
    expect(again.lines().at(-1)?.data).toMatchObject({ alreadySetUp: true });
  });

  it('an app that somebody switched it on for is taken as it stands, without an administrator', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const next = (await m.mailauth('login --sandbox --yes --force --no-test --sign-in device --json')).lines()[0]?.error?.next ?? [];
    const asItStands = next.find((line) => line.includes('--register existing'))?.replace(/^.*: mailauth /, '');
    const { registration } = await onlyApp(m);
    await beside(m, (graph) => graph.call('PATCH', `/applications/${registration?.objectId}`, { isFallbackPublicClient: true }));
    const ran = await m.mailauth(`${asItStands} --yes --no-test --json`, hurried());
    expect(ran.lines().filter((line) => line.type === 'authorization_required')).toEqual([
      expect.objectContaining({ user_code: expect.any(String) }),
    ]);
    expect([ran.exit, (await m.mailauth('login --sandbox --yes --force --no-test --sign-in device', hurried())).exit]).toEqual([0, 0]);
  });

  it('login streams url, user_code and expires_at', async () => {
    await m.ready(`setup --sandbox --yes ${ready}`);
    const { exit, out, lines } = await m.mailauth('login --sandbox --yes --force --no-test --sign-in device --json', hurried());
    expect(exit).toBe(0);
    expect(lines().filter((line) => line.type === 'authorization_required')).toEqual([
      {
        type: 'authorization_required',
        url: expect.stringMatching(/^http:\/\/localhost/),
        user_code: expect.stringMatching(/^[A-Z]{9}$/),
        expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      },
    ]);
    expect(lines().at(-1)).toMatchObject({ type: 'result', ok: true, data: { mailbox, account: mailbox } });
    expect(out).not.toContain('█');
  });

  it('blocked by the tenant: exit 6, --sign-in paste, and the old token stays', async () => {
    await m.ready(`setup --sandbox --yes ${ready}`);
    const before = (await m.mailauth('token get --sandbox')).out;
    const { exit, err } = await m.mailauth('login --sandbox --yes --force --no-test --sign-in device --fault device-blocked');
    expect(exit).toBe(6);
    expect(err).toContain(`try: mailauth login ${mailbox} --sign-in paste --force --sandbox`);
    expect((await m.mailauth('token get --sandbox')).out).toBe(before);
  });

  it('an app that mailauth registered for the browser: what to switch on', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const { exit, err } = await m.mailauth('login --sandbox --yes --force --no-test --sign-in device');
    expect(exit).toBe(6);
    expect(err).toContain('Allow public client flows');
    // As the error says: set-up does it, where mailauth made the app.
    expect((await m.mailauth('setup --sandbox --yes --no-test --sign-in device', hurried())).exit).toBe(0);
  });

  it.each([
    [`setup --sandbox --yes ${ready} --client-type confidential --sign-in device`, 'confidential client'],
    ['setup --sandbox --yes --for osticket --redirect-uri https://a.example/cb --sign-in device', 'osTicket signs in by itself'],
    [`setup --sandbox --yes ${ready} --qr`, '--qr goes with --sign-in device'],
    ['login --sandbox --sign-in paste --qr', '--qr goes with --sign-in device'],
    ['login --sandbox --sign-in telepathy', 'browser, paste or device'],
  ])('%s: exit 2', async (words, said) => {
    const { exit, err } = await m.mailauth(words);
    expect([exit, err]).toEqual([2, expect.stringContaining(said)]);
  });

  it('a refresh token that came from a code and is blocked later: exit 4 with the reason', async () => {
    await m.ready(`setup --sandbox --yes ${ready} --sign-in device`);
    const { exit, err } = await m.mailauth('token get --sandbox --force-refresh --fault refresh-device-blocked');
    expect([exit, err]).toEqual([4, expect.stringContaining('device code')]);
  });
});

describe('where no browser can be opened', () => {
  it('a person is asked how to sign in; an explicit flag is never changed', async () => {
    const asking = person([
      ['How do you sign in?', 'skip'],
      ['Go ahead', 'yes'],
    ]);
    const words = `setup --sandbox --mailbox ${mailbox} --for this-computer --register existing --client-id 11111111-5a4d-4b0c-9a11-c0ffee000001 --no-test`;
    const ran = await m.mailauth(words, { terminal: true, prompts: asking.prompts });
    expect([ran.exit, asking.unasked()]).toEqual([0, []]);
    const silent = person([['Go ahead', 'yes']]);
    await m.mailauth(`${words} --sign-in skip --fresh`, { terminal: true, prompts: silent.prompts });
    expect(silent.asked.some((question) => question.includes('How do you'))).toBe(false);
  });

  it('over SSH the port to carry is named', async () => {
    await m.ready(`setup --sandbox --yes ${ready}`);
    const env = { SSH_CONNECTION: '198.51.100.7 50022 192.0.2.10 22', USER: 'ada' };
    const { err } = await m.mailauth('login --sandbox --force --no-input --timeout 1', { env, clock: quickClock });
    expect(err).toMatch(/ssh -L (\d+):localhost:\1 ada@192\.0\.2\.10\n/);
    const port = /ssh -L (\d+)/.exec(err)?.[1];
    expect(err).toContain(`redirect_uri=http%3A%2F%2Flocalhost%3A${port}`);
  });
});

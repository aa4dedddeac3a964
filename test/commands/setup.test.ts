import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Browser } from '../../src/core/context.ts';
import { Secret } from '../../src/core/secret.ts';
import { decodeClientSecret } from '../../src/store/client-secret-entry.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { brokenKeychain, type Machine, machine, person } from '../support/command-line.ts';
import { stream } from '../support/json-stream.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const publicApp = '11111111-5a4d-4b0c-9a11-c0ffee000001';
const confidentialApp = '22222222-5a4d-4b0c-9a11-c0ffee000002';
const box = (name: string) => join(m.home, 'sandbox', name);
const files = async (folder: string): Promise<readonly string[]> => readdir(box(folder)).catch(() => []);
const readySecret = async (): Promise<string> => JSON.parse(await readFile(box('state.json'), 'utf8')).readySecret;

describe('setup --sandbox --yes', () => {
  it('sets up, signs in, stores and tests; text on stdout, everything else on stderr', async () => {
    const { exit, out, err } = await m.mailauth('setup --sandbox --yes');
    expect(exit).toBe(0);
    expect(out).toContain(`${mailbox} is set up and signed in.`);
    expect(out).toContain(`next: mailauth export msmtp ${mailbox} --sandbox `);
    expect(err).toMatch(/✔ Secret store works.*✔ Tenant contoso\.example.*✔ App .*✔ Signed in as helpdesk@contoso\.example.*✔ IMAP/s);
    // The sandbox answers its pages by itself: no person needs their addresses.
    expect(err).not.toContain('http://localhost');
  });

  it('streams with --json: progress, the address, exactly one result', async () => {
    const { exit, err, lines, out } = await m.mailauth('setup --sandbox --yes --json');
    expect([exit, err]).toEqual([0, '']);
    // The administrator, who registers the app, and the mailbox.
    const addresses = lines().flatMap(({ type, url = '' }) => (type === 'authorization_required' ? [url] : []));
    expect(addresses).toEqual([expect.stringContaining('/oauth2/v2.0/'), expect.stringContaining('/oauth2/v2.0/')]);
    const done = stream(lines());
    expect(done).toMatchObject({
      ok: true,
      command: 'setup',
      data: {
        mailbox,
        for: 'this-computer',
        alreadySetUp: false,
        signedIn: true,
        clientId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        store: 'keychain',
      },
    });
    expect(done.data.tests).toContainEqual(expect.objectContaining({ protocol: 'imap', ok: true }));
    const steps = lines().flatMap((l) => (l.type === 'progress' && l.state === 'done' && l.step !== 'note' ? [l.step] : []));
    expect([...new Set(steps)]).toEqual(['store', 'tenant', 'admin-sign-in', 'registration', 'sign-in', 'test']);
    expect(out).not.toMatch(/"eyJ/);
  });

  it('a launcher that shows no page is waited for once, and the sandbox approves every sign-in', async () => {
    const waits: number[] = [];
    const clock = {
      ...systemClock,
      async sleep(ms: number, signal?: AbortSignal) {
        // The wait for a page is 5 seconds; every other wait keeps its length.
        if (ms === 5_000) waits.push(ms);
        await systemClock.sleep(ms === 5_000 ? 20 : ms, signal);
      },
    };
    const opened: string[] = [];
    const browser: Browser = {
      usable: true,
      async open(url) {
        opened.push(url);
        return { kind: 'opened' };
      },
    };
    const { exit, err } = await m.mailauth('setup --sandbox --yes --no-test --timeout 20', { clock, browser });
    expect([exit, waits, opened.length], err).toEqual([0, [5_000], 1]);
    // The administrator, and then the mailbox.
    expect(err.match(/the sandbox approves each sign-in by itself/g)).toHaveLength(1);
  });

  it('run again after Microsoft refused the last renewal, it signs in again', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const refused = await m.mailauth('token get --sandbox --force-refresh --json --fault scope-refused');
    expect([refused.exit, refused.json().error?.code]).toEqual([1, 'scope-refused']);
    expect(refused.json().error?.next[0]).toContain('mailauth setup');
    const again = await m.mailauth('setup --sandbox --yes --no-test --json');
    expect(stream(again.lines())).toMatchObject({ ok: true, data: { alreadySetUp: false, signedIn: true } });
    expect((await m.mailauth('status --sandbox')).exit).toBe(0);
  });

  it('asks for the client ID again where Microsoft does not know it', async () => {
    const wrong = '99999999-8888-7777-6666-555555555555';
    const first = await m.mailauth(`setup --sandbox --yes --no-test --json --client-id ${wrong}`);
    expect(stream(first.lines())).toMatchObject({ error: { code: 'client-unknown' } });
    expect(stream(first.lines()).error?.next[0]).not.toContain(wrong);
    const { prompts, unasked } = person([
      [`The set-up of ${mailbox} was interrupted. Go on with it?`, true],
      ['Application (client) ID?', publicApp],
      ['Go ahead?', 'yes'],
    ]);
    const second = await m.mailauth('setup --sandbox --register existing --sign-in skip', { terminal: true, prompts });
    expect([second.exit, unasked(), second.out]).toEqual([0, [], expect.stringContaining(`${mailbox} is set up`)]);
  });

  it('run again changes nothing, asks nobody, and says so', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const token = (await m.mailauth('token get --sandbox')).out;
    const record = await readFile(box(`mailboxes/${mailbox}~this-computer.json`), 'utf8');
    const keys = new Map(m.keychain.entries);
    const again = await m.mailauth('setup --sandbox --yes');
    expect(again).toMatchObject({ exit: 0 });
    expect(again.out).toContain('is set up already; nothing was changed');
    const json = stream((await m.mailauth('setup --sandbox --yes --json')).lines());
    expect(json).toMatchObject({ ok: true, data: { alreadySetUp: true, signedIn: true } });
    expect((await m.mailauth('token get --sandbox')).out).toBe(token);
    expect(await readFile(box(`mailboxes/${mailbox}~this-computer.json`), 'utf8')).toBe(record);
    expect(m.keychain.entries).toEqual(keys);
  });

  it('--quiet leaves out progress and notes, not the result', async () => {
    const { exit, out, err } = await m.mailauth('setup --sandbox --yes --quiet --no-test');
    expect(exit).toBe(0);
    expect(out).toContain('set up and signed in');
    expect(err).not.toMatch(/[✔!] /);
  });

  it('keeps files private and without secrets', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const token = (await m.mailauth('token get --sandbox')).out.trim();
    const record = box(`mailboxes/${mailbox}~this-computer.json`);
    expect((await stat(record)).mode & 0o777).toBe(0o600);
    expect((await stat(box('mailboxes'))).mode & 0o777).toBe(0o700);
    expect(await readFile(record, 'utf8')).not.toContain(token);
    expect(await files('setups')).toEqual([]);
  });

  it('on a machine without a keychain uses a 0600 file of the sandbox and says so; not where a store was asked for', async () => {
    const keychain = brokenKeychain('no-bus');
    const { exit, err } = await m.mailauth('setup --sandbox --yes --no-test', { keychain });
    expect(exit).toBe(0);
    expect(err).toContain('No keychain is usable here: the sandbox keeps its worthless secrets in a file.');
    expect((await stat(box('secrets.json'))).mode & 0o777).toBe(0o600);
    expect((await m.mailauth('token get --sandbox', { keychain })).exit).toBe(0);
    expect((await m.mailauth('status --sandbox --json', { keychain })).json().data.mailboxes[0].store).toBe('sandbox-file');
    const asked = await m.mailauth('setup --sandbox --yes --mailbox b@contoso.example --store keychain', { keychain });
    expect(asked.exit).toBe(7);
  });
});

describe('a machine that misbehaves: --fault', () => {
  it.each([
    ['client-unknown', 1, 'client-unknown'],
    ['token-unavailable', 5, 'entra-busy'],
    ['throttled', 5, 'entra-busy'],
  ])('%s: setup ends with %i (%s), nothing is stored', async (fault, exit, code) => {
    const ran = await m.mailauth(`setup --sandbox --yes --register existing --json --fault ${fault}`);
    expect(stream(ran.lines()).error).toMatchObject({ code, exit });
    expect(ran.exit).toBe(exit);
    expect((await m.mailauth('token get --sandbox')).exit).toBe(4);
    expect([...m.keychain.entries.keys()].filter((key) => key.includes('token/'))).toEqual([]);
    expect(await files('mailboxes')).toEqual([]);
  });

  it('a page that Entra never leaves, met by the sandbox itself: the command that goes on is the set-up', async () => {
    const ran = await m.mailauth('setup --sandbox --yes --register existing --redirect-uri http://localhost:39123/other --json');
    const { error } = stream(ran.lines());
    expect([ran.exit, error]).toMatchObject([1, { code: 'redirect-mismatch', detail: { aadsts: 50011 } }]);
    expect(error?.next?.[0]).toBe('mailauth setup --mailbox helpdesk@contoso.example --resume --yes --sandbox');
  });

  it.each([
    ['imap-auth-failed', 4, 'imap-authenticate-failed'],
    ['imap-not-connected', 6, 'imap-not-connected'],
  ])('%s: signed in and kept, the test is red with %i (%s), in setup and in test', async (fault, exit, code) => {
    const ran = await m.mailauth(`setup --sandbox --yes --protocols imap --json --fault ${fault}`);
    const result = stream(ran.lines());
    expect(ran.exit).toBe(exit);
    expect(result).toMatchObject({ ok: false, data: { signedIn: true, tests: [{ ok: false }] }, error: { code, exit } });
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
    expect((await m.mailauth('status --sandbox --json')).json().data.mailboxes[0].lastTest).toMatchObject({
      protocol: 'imap',
      ok: false,
      code,
    });

    const test = await m.mailauth(`test imap --sandbox --json --fault ${fault}`);
    expect(test.exit).toBe(exit);
    expect(test.json()).toMatchObject({ ok: false, command: 'test', error: { code, exit } });
    const [only] = test.json().data.results;
    expect(only.stages.map((s: { name: string; state: string }) => `${s.name} ${s.state}`)).toEqual([
      ...['token ok', 'dns ok', 'connect ok', 'tls ok', 'greeting ok', 'capability ok'],
      ...['auth failed', 'mailbox skipped', 'quit skipped'],
    ]);
    expect(only.diagnosis).toMatchObject({ code, title: expect.any(String), next: expect.any(Array) });
    // In the sandbox its commands work there, too.
    expect(only.diagnosis.next[0]).toMatch(/^mailauth .*--sandbox/);
  });

  it('secret-expired: named, and the secret is not kept', async () => {
    const ran = await m.mailauth('setup --sandbox --yes --register existing --json --client-type confidential --fault secret-expired');
    expect(stream(ran.lines()).error).toMatchObject({ code: 'client-secret-expired', exit: 1 });
    expect(stream(ran.lines()).error?.next[0]).toContain(`--mailbox ${mailbox}`);
    expect([...m.keychain.entries.keys()].filter((key) => key.includes('secret/'))).toEqual([]);
  });
});

describe('test imap', () => {
  it('green: every stage with its time, the message count, EXAMINE', async () => {
    await m.ready('setup --sandbox --yes --no-test --protocols imap');
    const { exit, err, json } = await m.mailauth('test imap --sandbox --json');
    expect([exit, err]).toEqual([0, '']);
    const { data, ...envelope } = json();
    expect(envelope).toEqual({ schema: 'mailauth/1', ok: true, command: 'test' });
    const [result] = data.results;
    expect(Object.keys(result)).toEqual(expect.arrayContaining(['mailbox', 'protocol', 'ok', 'host', 'port', 'user', 'stages']));
    expect(result.stages.map((s: { name: string }) => s.name)).toEqual([
      'token',
      'dns',
      'connect',
      'tls',
      'greeting',
      'capability',
      'auth',
      'mailbox',
      'quit',
    ]);
    for (const stage of result.stages)
      expect(stage).toEqual({ name: expect.any(String), state: 'ok', ms: expect.any(Number), detail: expect.any(String) });
    expect(result.stages[7].detail).toBe('3 messages');
    expect((await m.mailauth('test all --sandbox --json')).json()).toMatchObject({
      data: { results: expect.arrayContaining([expect.objectContaining({ protocol: 'imap', ok: true })]) },
    });
    expect((await m.mailauth('test imap --sandbox')).out).toMatch(
      /^✔ IMAP signed in at localhost:\d+, INBOX has 3 messages {2}\d+\.\d s\n✔ It works: mail of helpdesk@contoso\.example by OAuth 2\.\n$/,
    );
    const text = await m.mailauth('test imap --sandbox --verbose');
    expect(text.out).toMatch(/IMAP helpdesk@contoso\.example at localhost:\d+\n.*✔ token +\d+ ms.*✔ quit/s);
    expect((await m.mailauth('status --sandbox --json')).json().data.mailboxes[0].lastTest).toMatchObject({ protocol: 'imap', ok: true });
  });

  it('of a mailbox nobody signed in for is exit 4 with all stages', async () => {
    await m.ready('setup --sandbox --yes --sign-in skip');
    const { exit, json } = await m.mailauth('test imap --sandbox --json');
    expect(exit).toBe(4);
    expect(json().data.results[0].stages.map((s: { state: string }) => s.state)).toEqual(['failed', ...Array(8).fill('skipped')]);
    expect(json().error).toMatchObject({ code: 'not-signed-in', exit: 4 });
  });
});

describe('answers that are missing are exit 3 and name the flag', () => {
  it.each([
    ['setup', '--mailbox'],
    ['setup --for custom', '--mailbox'],
    ['setup --yes', '--mailbox'],
    ['setup --register existing --mailbox a@contoso.com', '--client-id'],
    ['setup --resume', '--mailbox'],
    ['setup --resume --yes', '--mailbox'],
  ])('%s → %s', async (words, flag) => {
    // Nothing may be touched before every missing answer is known.
    const keychain = brokenKeychain('locked');
    const { exit, out, err } = await m.mailauth(`${words} --no-input`, { keychain });
    expect([exit, out]).toEqual([3, '']);
    expect(err).toContain(flag);
    const json = await m.mailauth(`${words} --json`, { keychain });
    expect(json.exit).toBe(3);
    expect(stream(json.lines()).error).toMatchObject({ exit: 3, next: [expect.stringContaining(flag)] });
  });

  it('a missing client ID after the portal steps, which are shown', async () => {
    const { exit, err } = await m.mailauth('setup --sandbox --yes --register portal');
    expect(exit).toBe(3);
    expect(err).toContain('New registration');
    expect(err).toContain('Give it as --client-id');
  });

  it('a missing client secret', async () => {
    const { exit, err } = await m.mailauth(
      'setup --sandbox --yes --client-type confidential --client-id 33333333-2222-3333-4444-555555555555 --redirect-uri http://localhost:53999/x',
    );
    expect(exit).toBe(3);
    expect(err).toContain('Give it as --client-secret-file');
  });

  it('names its flag in the detail', async () => {
    expect(stream((await m.mailauth('setup --json')).lines()).error).toMatchObject({
      code: 'answer-missing',
      detail: { flag: '--mailbox' },
    });
  });
});

describe('environment', () => {
  it('answers for the flags; a flag wins', async () => {
    const env = { MAILAUTH_MAILBOX: 'env@contoso.example', MAILAUTH_CLIENT_ID: publicApp, MAILAUTH_TENANT: 'contoso.example' };
    await m.mailauth('setup --sandbox --yes --no-test', { env });
    expect((await m.mailauth('status --sandbox --json')).json().data.mailboxes[0]).toMatchObject({
      mailbox: 'env@contoso.example',
      clientId: publicApp,
    });
    const flag = await m.mailauth('setup --sandbox --yes --no-test --mailbox flag@contoso.example --json', { env });
    expect(stream(flag.lines()).data.mailbox).toBe('flag@contoso.example');
    const unknown = { ...env, MAILAUTH_TENANT: 'nowhere.example', MAILAUTH_MAILBOX: 'c@contoso.example' };
    expect(stream((await m.mailauth('setup --sandbox --yes --json', { env: unknown })).lines()).error?.code).toBe('tenant-unknown');
    const both = await m.mailauth('setup --sandbox --yes --no-test --json --tenant contoso.example', { env: unknown });
    expect(both.exit).toBe(0);
  });

  it('MAILAUTH_CLIENT_ID is checked like the flag', async () => {
    const { exit, err } = await m.mailauth('setup --no-input --mailbox a@contoso.com', { env: { MAILAUTH_CLIENT_ID: '123' } });
    expect(exit).toBe(2);
    expect(err).toContain('--client-id');
  });

  it('--sandbox overrides the cloud variables; without it they are read, and a flag wins', async () => {
    const env = { MAILAUTH_CLOUD: 'mars', MAILAUTH_CLOUD_FILE: '' };
    expect((await m.mailauth('setup --sandbox --yes --no-test', { env })).exit).toBe(0);
    expect((await m.mailauth('status', { env })).exit).toBe(2);
    expect((await m.mailauth('status --cloud usgov', { env })).exit).toBe(0);
    const file = { MAILAUTH_CLOUD_FILE: join(m.home, 'missing.json') };
    const broken = await m.mailauth('setup --no-input --mailbox a@contoso.com --client-id 33333333-2222-3333-4444-555555555555', {
      env: file,
    });
    expect(broken.exit).toBe(2);
    expect(broken.err).toContain('missing.json');
  });
});

describe('client secret', () => {
  const confidential = `setup --sandbox --yes --no-test --client-id ${confidentialApp} --client-type confidential`;

  it('from a file: probed, stored, never shown', async () => {
    await m.ready('setup --sandbox --yes --no-test --sign-in skip');
    const secret = await readySecret();
    const file = join(m.home, 'secret.txt');
    await writeFile(file, `\uFEFF${secret}\r\n`);
    const { exit, out, err } = await m.mailauth(`${confidential} --mailbox c@contoso.example --client-secret-file ${file} --verbose`);
    expect(exit, err).toBe(0);
    expect(out + err).not.toContain(secret);
    expect(err).toContain('secret works');
    expect([...m.keychain.entries.values()].map((value) => decodeClientSecret(new Secret(value)).secret.reveal())).toContain(secret);
    expect(await readFile(box('mailboxes/c@contoso.example~this-computer.json'), 'utf8')).not.toContain(secret);
    expect((await m.mailauth('token get c@contoso.example --sandbox --force-refresh')).exit).toBe(0);
  });

  it('from standard input, and a secret file alone means a confidential client', async () => {
    await m.ready('setup --sandbox --yes --no-test --sign-in skip');
    const readStdin = readySecret;
    const words = `setup --sandbox --yes --no-test --client-id ${confidentialApp} --mailbox c@contoso.example --client-secret-file - --json`;
    const { exit, lines } = await m.mailauth(words, { readStdin });
    expect([exit, stream(lines()).data.clientId]).toEqual([0, confidentialApp]);
  });

  it.each([
    ['a GUID is its ID', '9f3c1c1e-7f3b-4e0a-8f4e-6b8f0a9d1c2b\n', 2, 'secret-is-id'],
    ['empty', '\n', 2, 'secret-unusable'],
    ['two lines', 'one\ntwo\n', 2, 'secret-unusable'],
    ['a wrong value', 'Wrong~value-that-entra-does-not-know\n', 1, 'client-secret-wrong'],
  ])('%s: exit and code, nothing kept, the value never repeated', async (_, text, exit, code) => {
    const file = join(m.home, 'secret.txt');
    await writeFile(file, text);
    const ran = await m.mailauth(`${confidential} --client-secret-file ${file} --json`);
    expect(ran.exit).toBe(exit);
    expect(stream(ran.lines()).error?.code).toBe(code);
    if (text.trim() !== '') expect(ran.out + ran.err).not.toContain(text.trim());
    expect([...m.keychain.entries.keys()].filter((key) => key.includes('secret/'))).toEqual([]);
  });

  it('a missing file is exit 2', async () => {
    const ran = await m.mailauth(`${confidential} --client-secret-file ${join(m.home, 'no.txt')} --json`);
    expect([ran.exit, stream(ran.lines()).error?.code]).toEqual([2, 'secret-unusable']);
  });

  it('a wrong new one does not push out the one that works', async () => {
    await m.mailauth(`${confidential}`);
    const file = join(m.home, 'secret.txt');
    await writeFile(file, 'Wrong~value-that-entra-does-not-know');
    expect((await m.mailauth(`${confidential} --client-secret-file ${file}`)).exit).toBe(1);
    expect((await m.mailauth('token get --sandbox --force-refresh')).exit).toBe(0);
  });
});

describe('who signs in', () => {
  it('a shared mailbox by its delegate: JSON tells both', async () => {
    const ran = await m.mailauth(
      'setup --sandbox --yes --protocols imap --mailbox shared@contoso.example --sign-in-as Ada@contoso.example --json',
    );
    expect(ran.exit).toBe(0);
    expect(stream(ran.lines()).data).toMatchObject({
      mailbox: 'shared@contoso.example',
      account: 'ada@contoso.example',
      tests: [{ ok: true }],
    });
    expect((await m.mailauth('token show --sandbox --json')).json().data).toMatchObject({
      mailbox: 'shared@contoso.example',
      username: 'shared@contoso.example',
      account: 'ada@contoso.example',
    });
    expect(JSON.parse((await m.mailauth('token get --sandbox --json')).out).username).toBe('shared@contoso.example');
    expect((await m.mailauth('test imap --sandbox')).exit).toBe(0);
  });

  it('somebody without the right to the mailbox: signed in, the test is red', async () => {
    const ran = await m.mailauth(
      'setup --sandbox --yes --protocols imap --mailbox shared@contoso.example --sign-in-as bob@contoso.example --json',
    );
    expect(ran.exit).toBeGreaterThan(0);
    expect(stream(ran.lines()).error?.code).toBe('mail-no-full-access');
  });

  it('a declined consent leaves the old token', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const token = (await m.mailauth('token get --sandbox')).out;
    const { exit, lines } = await m.mailauth(`login ${mailbox} --force --sandbox --yes --json --fault consent-denied`);
    expect([exit, stream(lines()).error?.code]).toEqual([6, 'consent-declined']);
    expect((await m.mailauth('token get --sandbox')).out).toBe(token);
  });
});

describe('handed over: --sign-in skip, and the guide custom', () => {
  it('stands without a sign-in', async () => {
    const ran = await m.mailauth('setup --sandbox --yes --sign-in skip --json');
    expect(ran.exit).toBe(0);
    expect(stream(ran.lines())).toMatchObject({ ok: true, data: { signedIn: false, account: null, tests: [] } });
    expect((await m.mailauth('status --sandbox --json')).json().data.mailboxes[0]).toMatchObject({
      signedIn: false,
      accessTokenExpiresAt: null,
      refreshTokenIdleDeadline: null,
      daysLeft: null,
    });
    expect((await m.mailauth('token get --sandbox')).exit).toBe(4);
    expect((await m.mailauth('setup --sandbox --yes --sign-in skip')).out).toContain('nothing was changed');
  });

  it('custom prints a sheet with neutral names and masks the secret', async () => {
    await m.ready('setup --sandbox --yes --sign-in skip');
    const secret = await readySecret();
    const redirect = 'https://helpdesk.contoso.example/oauth/callback';
    const { exit, out, err } = await m.mailauth(
      `setup --sandbox --yes --for custom --client-type confidential --client-id ${confidentialApp} --protocols imap,smtp --redirect-uri ${redirect} --sign-in skip`,
    );
    expect(exit).toBe(0);
    expect(out).toContain('no sign-in on this computer');
    for (const [name, value] of [
      ['Client ID', confidentialApp],
      ['Client secret', '********'],
      ['Tenant ID', '5a4db0c5-c0de-4a11-b0b5-c0ffee000365'],
      ['Redirect URI', redirect],
      ['User name', mailbox],
      ['IMAP', 'localhost'],
      ['SMTP', 'localhost'],
    ]) {
      expect(out).toMatch(new RegExp(`^ +${name} +${value?.replace(/[*.]/g, '\\$&')}`, 'm'));
    }
    expect(out).not.toMatch(/^ +POP /m);
    expect(out + err).not.toContain(secret);
  });

  it('custom on this computer signs in like this-computer', async () => {
    const ran = await m.mailauth('setup --sandbox --yes --no-test --for custom --json');
    expect([ran.exit, stream(ran.lines()).data]).toMatchObject([0, { for: 'custom', signedIn: true }]);
  });
});

describe('a home that cannot be written', () => {
  let sealed: Machine;
  beforeAll(async () => {
    sealed = await machine();
  });
  afterAll(() => sealed.end());

  it('is a clear error, not a bug', async () => {
    const file = join(sealed.home, 'a-file');
    await writeFile(file, '');
    for (const words of [
      'setup --sandbox --yes',
      'setup --mailbox a@contoso.com --client-id 33333333-2222-3333-4444-555555555555 --no-input',
    ]) {
      const { exit, err } = await sealed.mailauth(words, { env: { MAILAUTH_HOME: join(file, 'home') } });
      expect(exit).toBe(1);
      expect(err).toContain(join(file, 'home'));
      expect(err).not.toContain('bug');
    }
  });
});

describe('what an error repeats', () => {
  it.each(['--client-secret-file abc~SuperSecretValue.123', '--sign-in password --for kaseya --password-file hunter2-Pa55'])(
    '%s: the secret in place of the name of its file is repeated nowhere',
    async (flags) => {
      const ran = await m.mailauth(`setup --no-input --json --sandbox --tenant nowhere.example --client-id ${confidentialApp} ${flags}`);
      expect([ran.exit, stream(ran.lines()).error?.next.join()]).toEqual([1, expect.stringContaining('-file -')]);
      expect(ran.out + ran.err).not.toContain(flags.split(' ').at(-1));
    },
  );

  it('keeps the flags also where the mailbox was given in capitals', async () => {
    const ran = await m.mailauth('setup --sandbox --json --mailbox Ada@Contoso.example --tenant nowhere.example --name Own');
    expect(stream(ran.lines()).error?.next[0]).toContain('--name Own');
  });

  it('the same protocols in another order are the same set-up', async () => {
    await m.mailauth('setup --sandbox --yes --no-test --protocols imap,smtp');
    const again = await m.mailauth('setup --sandbox --yes --no-test --json --protocols smtp,imap');
    expect(stream(again.lines())).toMatchObject({ ok: true, data: { alreadySetUp: true } });
  });
});

describe('the command that an error of setup names', () => {
  const ada = 'ada@contoso.example';
  const redirect = '--redirect-uri https://helpdesk.contoso.example/cb';
  const rest = '--no-test --yes';
  const all = '--no-test --json --yes';
  it.each([
    [`--mailbox ${ada} --for mspbots --fault discovery-busy`, `--mailbox ${ada} --for mspbots ${rest} --sandbox`],
    ['--for mspbots --fault discovery-busy', `--mailbox ${mailbox} --for mspbots ${rest} --sandbox`],
    [`--mailbox ${ada} --tenant nowhere.example`, `--mailbox ${ada} ${rest} --sandbox`],
    ['--mailbox ada@contoso.exmple --name own', '--name own --no-test --sandbox'],
    [`--mailbox ${ada} --for osticket --redirect-uri http://x.y/z`, `--mailbox ${ada} --for osticket --no-test --sandbox`],
    [
      `--mailbox ${ada} --for osticket ${redirect} --client-id ${publicApp} --client-secret-file nowhere`,
      `--mailbox ${ada} --for osticket --client-id ${publicApp} ${redirect} --client-secret-file - ${all} --sandbox`,
    ],
    [
      `--mailbox ${ada} --for osticket ${redirect} --client-id ${publicApp}`,
      `--mailbox ${ada} --for osticket --client-id ${publicApp} ${redirect} ${all} --sandbox --client-type confidential --client-secret-file -`,
    ],
    [
      `--mailbox ${ada} --for osticket ${redirect} --register portal`,
      `--mailbox ${ada} --for osticket --register existing ${redirect} --no-test --sandbox`,
    ],
    [`--mailbox ${ada} --name own --protocols imap,smpt`, `--mailbox ${ada} --protocols imap,smtp --name own ${all} --sandbox`],
    [`--mailbox ${ada} --name own --timeout 5s`, `--mailbox ${ada} --name own ${all} --sandbox --timeout 300`],
    [`--mailbox ${ada} --fault tenant-other-cloud`, `--mailbox ${ada} ${rest} --tenant contoso.example --sandbox`],
    [`--mailbox ${ada} --register auto --client-id ${publicApp}`, `--mailbox ${ada} --register auto ${rest} --sandbox`],
    ['--mailbox nobody --register auto --client-id abc', `--register auto ${rest} --sandbox`],
  ])('%s: what was given stays in it', async (flags, said) => {
    const ran = await m.mailauth(`setup --sandbox --yes --no-test --json ${flags}`);
    const [next] = stream(ran.lines()).error?.next ?? [];
    expect(next?.replace(/ {3}#.*$/, '')).toBe(`mailauth setup ${said}`);
  });
});

describe('the mailbox of anybody', () => {
  it('is rehearsed in the sandbox under its own domain, and its address is taken out of what mail programs copy', async () => {
    const machineOfAcme = await machine();
    const words = ['setup', '--sandbox', '--yes', '--json', '--mailbox', 'Help Desk <Support@Acme.com>'];
    const ran = await machineOfAcme.run(words);
    expect(ran.exit).toBe(0);
    expect(stream(ran.lines()).data?.mailbox).toBe('support@acme.com');
    expect((await machineOfAcme.run(['token', 'get', '<support@acme.com>', '--sandbox'])).exit).toBe(0);
    // Its tenant is its own, and the same whenever it is looked for.
    const tenantOf = async (mailbox: string, ...more: string[]) => {
      const again = await machineOfAcme.run(['setup', '--sandbox', '--yes', '--json', '--mailbox', mailbox, ...more]);
      expect(again.exit, mailbox).toBe(0);
      return stream(again.lines()).data?.tenantId;
    };
    const acme = await tenantOf('billing@acme.com');
    expect(acme).toBe(stream(ran.lines()).data?.tenantId);
    expect(new Set([acme, await tenantOf('a@umbrella.example'), await tenantOf('helpdesk@contoso.example')]).size).toBe(3);
    // An account of another tenant is no member, an app of another tenant is not known.
    const foreign = await machineOfAcme.run(words.with(5, 'x@umbrella.example').concat('--sign-in-as', 'ada@acme.com'));
    expect(stream(foreign.lines()).error?.code).toBe('account-not-in-tenant');
    await machineOfAcme.end();
  });

  it.each(['x@nowhere.example', 'x@contoso.exampl', 'x@outlook.com'])(
    '%s has no tenant there, and the sandbox says so itself',
    async (address) => {
      const elsewhere = await machine();
      const ran = await elsewhere.run(['setup', '--sandbox', '--yes', '--mailbox', address]);
      expect(ran.exit).toBe(1);
      expect(ran.err).toContain('The sandbox has no tenant for');
      expect(ran.err).not.toContain('Microsoft found');
      await elsewhere.end();
    },
  );
});

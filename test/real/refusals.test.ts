import { once } from 'node:events';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyringRig } from './rigs/keyring.ts';
import { type Office, openOffice, type RunOptions, type Seat } from './rigs/office.ts';

let office: Office;

beforeAll(async () => {
  office = await openOffice();
});
afterAll(() => office?.close());

const printed = (token: string) => ({ code: 0, stdout: `${token}\n`, stderr: '' });

/** Not a token, not a mailbox: the set-up that failed is as if it had never been, but for its answers. */
async function expectNothingStored(seat: Seat): Promise<void> {
  expect((await seat.keyringEntries()).filter((entry) => !entry.startsWith('client-secret/'))).toEqual([]);
  expect(await readdir(join(seat.home, 'mailboxes')).catch(() => [])).toEqual([]);
}

describe.concurrent('the sign-in is refused', () => {
  it('consent declined: nothing is stored, and an earlier sign-in stays', async () => {
    const fresh = await office.seat({ authorize: 'deny' });
    const failure = await fresh.setupFailure();
    expect(failure).toMatchObject({ code: 6, error: { code: 'consent-declined' } });
    await expectNothingStored(fresh);
    const { pages } = await fresh.browserLog();
    expect(pages.at(-1)).toMatchObject({ body: expect.stringContaining('The permissions were declined') });
    expect(pages.at(-1)?.body).not.toContain('You are signed in');

    const signedIn = await office.seat();
    const token = await signedIn.ready();
    signedIn.app.authorize = 'deny';
    expect(await signedIn.failure(['login', '--force'])).toMatchObject({ code: 6, error: { code: 'consent-declined' } });
    expect(await signedIn.run(['token', 'get'])).toEqual(printed(token));
  });

  it('wrong account: both are named, and the command that is offered accepts it', async () => {
    const seat = await office.seat();
    seat.app.account = 'ada@contoso.example';
    const { code, error } = await seat.setupFailure();
    expect({ code, id: error.code }).toEqual({ code: 1, id: 'wrong-account' });
    expect(error.title).toContain(seat.mailbox);
    expect(error.title).toContain('ada@contoso.example');
    await expectNothingStored(seat);
    // The account that came in is never the first advice.
    expect(error.next[0]).not.toContain('ada@');
    const command = (error.next.find((one) => one.includes('--sign-in-as')) ?? '').replace(/ +#.*/, '');
    expect(command).toMatch(/ --sign-in-as ada@contoso\.example\b/);
    expect(command).toContain(` --cloud-file ${seat.cloudFile}`);
    const accepted = await seat.run([...command.split(' ').slice(1), '--yes', '--no-test'], {
      env: { MAILAUTH_CLOUD_FILE: seat.cloudFile },
    });
    expect(accepted.code, accepted.stderr).toBe(0);
    expect(JSON.parse((await seat.run(['token', 'get', '--format', 'json'])).stdout)).toMatchObject({
      accessToken: seat.lastToken,
      username: seat.mailbox,
    });
    // Dovecot, as Exchange, opens a mailbox to its owner or a delegate only.
    expect(await seat.failure(['test', 'imap'])).toMatchObject({ code: 6, error: { code: 'mail-no-full-access' } });
  });

  it('a permission is missing', async () => {
    const seat = await office.seat({ withheld: ['IMAP.AccessAsUser.All'] });
    const failure = await seat.setupFailure();
    expect(failure).toMatchObject({ code: 6, error: { code: 'scope-missing', title: expect.stringContaining('IMAP.AccessAsUser.All') } });
    await expectNothingStored(seat);
  });

  it('the code has expired', async () => {
    const seat = await office.seat({ refusal: 'code-expired' });
    expect(await seat.setupFailure()).toMatchObject({ code: 4, error: { code: 'code-expired', detail: { aadsts: 70008 } } });
    await expectNothingStored(seat);
  });

  it('an interrupted walk through the portal is resumed without any other flag', async () => {
    const seat = await office.seat({ authorize: 'deny' });
    expect(await seat.setupFailure(['--register', 'portal'])).toMatchObject({ code: 6 });
    seat.app.authorize = 'approve';
    const resumed = await seat.run(['setup', '--resume', '--yes', '--json']);
    expect(resumed.code, resumed.stdout).toBe(0);
    expect(await seat.run(['token', 'get'])).toEqual(printed(seat.lastToken));
    expect((await seat.failure(['setup', '--resume', '--yes'])).error).toMatchObject({ code: 'nothing-to-resume', exit: 3 });
  });

  it('Entra sends its own failure back', async () => {
    const seat = await office.seat({ authorize: 'server-error' });
    expect(await seat.setupFailure()).toMatchObject({ code: 5, error: { code: 'entra-busy' } });
    await expectNothingStored(seat);
  });

  it('nobody answers', async () => {
    const seat = await office.seat();
    const failure = await seat.setupFailure(['--timeout', '3'], { env: { BROWSER: '/bin/true' } });
    expect(failure).toMatchObject({ code: 4, error: { code: 'sign-in-timeout' } });
    await expectNothingStored(seat);
  });
});

describe.concurrent('the set-up is stopped before a browser opens', () => {
  const neverOpened = async (seat: Seat) => expect(seat.app.seen.filter((one) => one.startsWith('authorize'))).toEqual([]);

  it.each([
    { what: 'a domain without a tenant', flags: ['--mailbox', 'x@nowhere.example'], code: 1, id: 'tenant-unknown' },
    { what: 'an unknown client id', flags: ['--client-id', '99999999-8888-7777-6666-555555555555'], code: 1, id: 'client-unknown' },
    { what: 'a client id that is none', flags: ['--client-id', 'helpdesk'], code: 2, id: 'value-invalid' },
  ])('$what', async ({ flags, code, id }) => {
    const seat = await office.seat();
    expect(await seat.setupFailure(flags)).toMatchObject({ code, error: { code: id } });
    await neverOpened(seat);
    await expectNothingStored(seat);
  });

  it.each([
    { what: 'a wrong secret', sent: 'not~the_secret', code: 1, id: 'client-secret-wrong' },
    { what: "the secret's ID instead of its value", sent: '0f0f0f0f-1111-2222-3333-444444444444', code: 2, id: 'secret-is-id' },
  ])('$what, which is not kept', async ({ sent, code, id }) => {
    const seat = await office.seat({ secret: 'the~right_secret' });
    const failure = await seat.setupFailure([], { stdin: sent });
    expect(failure).toMatchObject({ code, error: { code: id } });
    expect(failure.stdout).not.toContain(sent);
    await neverOpened(seat);
    expect(await seat.keyringEntries()).toEqual([]);
  });

  it('an authority that this computer does not know', async () => {
    const seat = await office.seat();
    const failure = await seat.setupFailure([], { env: { NODE_EXTRA_CA_CERTS: undefined } });
    expect(failure).toMatchObject({ code: 1, error: { code: 'tls-untrusted', why: expect.stringContaining('Laboratory authority') } });
    await neverOpened(seat);
  });

  it('the exact port of a confidential client is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = holder.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const seat = await office.seat({ secret: 'the~right_secret', redirectUri: `http://localhost:${port}/mailauth` });
    expect(await seat.setupFailure()).toMatchObject({
      code: 1,
      error: { code: 'loopback-port-taken', title: expect.stringContaining(String(port)) },
    });
    holder.close();
    await neverOpened(seat);
    await expectNothingStored(seat);
    // The port is free now: the same again.
    await seat.ready();
    expect((await seat.browserLog()).pages.map(({ page }) => page).join()).toContain(`localhost:${port}/mailauth?`);
  });

  it('no D-Bus session', async () => {
    const seat = await office.seat();
    const env = { DBUS_SESSION_BUS_ADDRESS: undefined };
    expect(await seat.setupFailure([], { env })).toMatchObject({ code: 7, error: { code: 'keychain-no-bus' } });
    await neverOpened(seat);
    await seat.ready();
    for (const command of [['token', 'get'], ['status'], ['test', 'imap'], ['logout'], ['login']]) {
      expect(await seat.failure(command, { env })).toMatchObject({ code: 7, error: { code: 'keychain-no-bus' } });
    }
    expect(await seat.run(['token', 'get'])).toEqual(printed(seat.lastToken));
  });

  it('a locked keyring', async () => {
    const rig = await keyringRig();
    const session = await rig.session();
    try {
      const options: RunOptions = { env: session.env };
      const seat = await office.seat();
      expect((await seat.setup(['--no-test'], options)).code).toBe(0);
      const call = ['--session', '--dest', 'org.freedesktop.secrets', '--object-path', '/org/freedesktop/secrets', '--method'];
      const lock = ['org.freedesktop.Secret.Service.Lock', "['/org/freedesktop/secrets/aliases/default']"];
      expect(await rig.bare(['gdbus', 'call', ...call, ...lock], session.env)).toMatchObject({ code: 0 });
      for (const command of [['token', 'get'], ['status'], ['logout'], ['login', '--force']]) {
        expect(await seat.failure(command, options)).toMatchObject({ code: 7, error: { code: 'keychain-locked' } });
      }
      const other = await office.seat();
      expect(await other.setupFailure([], options)).toMatchObject({ code: 7, error: { code: 'keychain-locked' } });
      await neverOpened(other);
    } finally {
      await session.close();
      await rig.remove();
    }
  });

  it('two at once: the second steps back, the first is stopped and keeps nothing half done', async () => {
    const seat = await office.seat();
    const first = seat.start([...seat.setupFlags, '--json'], { env: { BROWSER: '/bin/true' } });
    await first.says(/authorization_required/);
    expect(await seat.setupFailure()).toMatchObject({ code: 5, error: { code: 'setup-busy' } });
    await neverOpened(seat);
    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(130);
    await expectNothingStored(seat);
    await seat.ready();
    expect(await seat.run(['token', 'get'])).toEqual(printed(seat.lastToken));
  });
});

describe.concurrent('the disk', () => {
  it('a file stands where the folder should be', async () => {
    const seat = await office.seat();
    await writeFile(seat.home, 'mine');
    expect(await seat.setupFailure()).toMatchObject({ code: 1, error: { code: 'home-not-writable' } });
    expect(seat.app.seen).not.toContain('authorize approve');
    expect((await seat.failure(['token', 'get', seat.mailbox])).code).not.toBe(0);
    expect((await seat.run(['token', 'get', seat.mailbox])).stderr).toMatch(/^✖ /);
  });

  it('a home that cannot be written: what is stored still works', async () => {
    const seat = await office.seat();
    const token = await seat.ready();
    const folders = [seat.home, join(seat.home, 'mailboxes'), ...(await subfolders(seat.home))];
    for (const folder of folders) await chmod(folder, 0o500);
    try {
      expect(await seat.run(['token', 'get'], readOnly)).toEqual(printed(token));
      expect(await seat.run(['status'], readOnly)).toMatchObject({ code: 0 });
      expect(await seat.run(['test', 'imap'], readOnly)).toMatchObject({ code: 0 });
      expect(await seat.failure(['token', 'get', '--force-refresh'], readOnly)).toMatchObject({
        code: 1,
        error: { code: 'home-not-writable' },
      });
      expect(await seat.failure(['logout'], readOnly)).toMatchObject({ code: 1, error: { code: 'home-not-writable' } });
      const other = await office.seat();
      const elsewhere = { ...readOnly, env: { MAILAUTH_HOME: seat.home } };
      expect(await other.setupFailure([], elsewhere)).toMatchObject({ code: 1, error: { code: 'home-not-writable' } });
    } finally {
      for (const folder of folders) await chmod(folder, 0o700);
    }
  });

  it.each([
    { what: 'empty', text: '' },
    { what: 'cut off', text: '{"version":1,"mailbox":' },
    { what: 'of a newer version', text: '{"version":2}' },
    { what: 'something else', text: '\u001b[31mnot JSON' },
  ])('a mailbox file that is $what is named and left as it is', async ({ text }) => {
    const seat = await office.seat();
    const file = join(seat.home, 'mailboxes', `${seat.mailbox}~this-computer.json`);
    await mkdir(join(seat.home, 'mailboxes'), { recursive: true });
    await writeFile(file, text);
    const commands = [
      ['token', 'get'],
      ['token', 'get', seat.mailbox],
      ['status'],
      ['logout', seat.mailbox],
      ['login', seat.mailbox],
      seat.setupFlags,
    ];
    for (const command of commands) {
      const failure = await seat.failure(command);
      expect(failure, command.join(' ')).toMatchObject({
        code: 1,
        error: { code: 'mailbox-file-broken', title: expect.stringContaining(file) },
      });
      expect(failure.stdout).not.toContain('\\u001b');
    }
    expect((await seat.files()).get(file)).toBe(text);
    expect(seat.app.seen).not.toContain('authorize approve');
  });
});

describe.concurrent('Dovecot refuses', () => {
  const now = Math.floor(Date.now() / 1000);

  it.each([
    { what: 'a token for another audience', claims: { aud: 'https://graph.microsoft.com' }, id: 'mail-token-audience' },
    { what: 'a token that has expired', claims: { exp: now - 60 }, id: 'mail-token-expired' },
    { what: "somebody else's token", claims: { upn: 'eve@contoso.example' }, id: 'mail-token-user' },
    { what: 'a token without the permission', claims: { scp: 'SMTP.Send', nbf: now + 3000 }, id: 'mail-token-scope' },
    { what: 'a token of another issuer', claims: { iss: 'https://sts.windows.net/other/' }, id: 'imap-authenticate-failed' },
  ])('$what', async ({ claims, id }) => {
    const seat = await office.seat({ claims });
    const setup = await seat.setupFailure();
    expect(setup).toMatchObject({
      code: 4,
      error: { code: id },
      data: { signedIn: true, tests: [{ ok: false, diagnosis: { code: id } }] },
    });
    const failure = await seat.failure(['test', 'imap']);
    expect(failure).toMatchObject({
      code: 4,
      error: { code: id },
      data: { results: [{ protocol: 'imap', ok: false, diagnosis: { code: id } }] },
    });
    expect(failure.stdout).not.toContain(seat.lastToken);
    expect(failure.stdout).toMatch(/"name":"auth","state":"failed"/);
    expect(failure.stdout).toMatch(/"name":"mailbox","state":"skipped"/);
  });
});

async function subfolders(home: string): Promise<string[]> {
  const entries = await readdir(home, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(home, entry.name));
}

/** Root writes everywhere; without its capabilities it is a user like any other. */
const readOnly: RunOptions = process.getuid?.() === 0 ? { under: ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] } : {};

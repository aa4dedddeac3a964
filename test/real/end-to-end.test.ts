import { stat } from 'node:fs/promises';
import { request } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Office, openOffice, type Seat } from './rigs/office.ts';

let office: Office;

beforeAll(async () => {
  office = await openOffice();
});
afterAll(() => office?.close());

const tokenOf = async (seat: Seat, ...more: string[]) => seat.run(['token', 'get', ...more]);
const printed = (token: string) => ({ code: 0, stdout: `${token}\n`, stderr: '' });
const grants = (seat: Seat) => seat.app.seen.filter((one) => !one.startsWith('refresh_token 9002313'));

describe.concurrent('from the wizard to the mail server, each command in a process of its own', () => {
  it('public client: set up, token, test, status, sign in again, log out', async () => {
    const seat = await office.seat();
    await office.dovecot.deliver(seat.mailbox, 3);
    const setup = await seat.setup();
    expect(setup.code, setup.stderr).toBe(0);
    expect(setup.stderr).toContain('INBOX has 3 messages');
    expect(setup.stderr).not.toContain('Step 1 of');
    const { pages } = await seat.browserLog();
    expect(pages.at(-1)).toMatchObject({
      status: 200,
      page: expect.not.stringContaining('code='),
      body: expect.stringContaining('You are signed in'),
    });
    expect(grants(seat)).toEqual(['authorize approve', 'authorization_code ok']);
    expect(await tokenOf(seat)).toEqual(printed(seat.lastToken));
    expect(await seat.keyringEntries()).toEqual([`token/this-computer/${seat.mailbox}`]);

    const test = await seat.run(['test', 'imap', '--json']);
    expect(test.code).toBe(0);
    const [result] = JSON.parse(test.stdout).data.results;
    expect(result).toMatchObject({ mailbox: seat.mailbox, protocol: 'imap', ok: true, user: seat.mailbox });
    const names = ['token', 'dns', 'connect', 'tls', 'greeting', 'capability', 'auth', 'mailbox', 'quit'];
    expect(result.stages.map((s: { name: string; state: string }) => `${s.name} ${s.state}`)).toEqual(names.map((name) => `${name} ok`));
    expect(await office.dovecot.recent(seat.mailbox)).toBe(3);

    const status = await seat.run(['status', '--json']);
    expect(status.code).toBe(0);
    expect(JSON.parse(status.stdout).data.mailboxes).toMatchObject([
      {
        mailbox: seat.mailbox,
        for: 'this-computer',
        tenantId: office.lab.tenantId,
        clientId: seat.app.clientId,
        signedIn: true,
        daysLeft: 89,
        store: 'keychain',
        lastTest: { protocol: 'imap', ok: true },
      },
    ]);
    const show = await seat.run(['token', 'show', '--json']);
    expect(show.stdout).not.toContain(seat.lastToken);
    expect(JSON.parse(show.stdout).data).toMatchObject({
      username: seat.mailbox,
      account: seat.mailbox,
      audience: 'https://outlook.office.com',
      scopes: expect.arrayContaining(['https://outlook.office.com/IMAP.AccessAsUser.All']),
      refreshable: true,
      opaque: false,
    });

    const again = await seat.setup();
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing was changed') });
    const already = await seat.run(['login', '--json']);
    expect(JSON.parse(already.stdout)).toMatchObject({ type: 'result', ok: true, data: { alreadySignedIn: true } });
    expect(grants(seat).filter((one) => one.startsWith('authorize'))).toHaveLength(1);
    const before = seat.lastToken;
    expect((await seat.run(['login', '--force'])).code).toBe(0);
    expect(seat.lastToken).not.toBe(before);
    expect(await tokenOf(seat)).toEqual(printed(seat.lastToken));

    expect((await seat.run(['logout'])).code).toBe(0);
    expect(await seat.keyringEntries()).toEqual([]);
    expect([...(await seat.files()).keys()].filter((file) => !file.endsWith('/home.json'))).toEqual([]);
    expect((await seat.run(['logout', seat.mailbox])).code).toBe(0);
    expect((await seat.failure(['token', 'get', seat.mailbox])).code).toBe(4);
  });

  it('confidential client: secret and tokens stand in the keyring and nowhere else', async () => {
    const secret = 'aB8~lab-Secret_value.of+Length/forty=chars';
    const seat = await office.seat({ secret, redirectUri: 'http://localhost' });
    const env = { MAILAUTH_DEBUG: '1' };
    const runs = [
      await seat.setup(['--verbose'], { env, stdin: `\uFEFF${secret}\r\n` }),
      await seat.run(['token', 'get', '--force-refresh', '--format', 'xoauth2', '--verbose'], { env }),
      await seat.run(['test', 'imap', '--verbose'], { env }),
      await seat.run(['token', 'show', '--verbose'], { env }),
      await seat.run(['status', '--verbose'], { env }),
      await seat.run(['login', '--force', '--verbose'], { env }),
    ];
    expect(runs.map((run) => run.code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(grants(seat)).toEqual([
      'client_credentials ok',
      'authorize approve',
      'authorization_code ok',
      'refresh_token ok',
      'authorize approve',
      'authorization_code ok',
    ]);
    expect(await seat.keyringEntries()).toEqual(
      expect.arrayContaining([`client-secret/this-computer/${seat.mailbox}`, `token/this-computer/${seat.mailbox}`]),
    );

    const { processes } = await seat.browserLog();
    // The processes were seen, and on Linux no child of ours touches the keychain.
    expect(processes.length).toBeGreaterThan(0);
    expect(processes.some(({ argv }) => argv.includes('keychain-child'))).toBe(false);
    const files = await seat.files();
    expect([...files.keys()]).toContain(`${seat.home}/debug.log`);
    const [, xoauth2, ...others] = runs.map((run) => run.stdout + run.stderr);
    expect(Buffer.from(xoauth2?.trim() ?? '', 'base64').toString()).toContain(`user=${seat.mailbox}\u0001auth=Bearer eyJ`);
    const seen = [...files.values(), ...others, runs[0]?.stdout, runs[0]?.stderr, ...processes.flatMap((p) => [p.argv, p.environ])].join(
      '\n',
    );
    for (const hidden of [secret, encodeURIComponent(secret), ...seat.app.secrets]) {
      expect(seen.includes(hidden), `${hidden.slice(0, 6)}… is in plain sight`).toBe(false);
    }
    for (const file of files.keys()) expect((await stat(file)).mode & 0o077, file).toBe(0);
  });

  it('a stranger comes to the listener before the person does', async () => {
    const seat = await office.seat({ authorize: 'foreign-state-first' });
    await seat.ready();
    const { pages } = await seat.browserLog();
    expect(pages.map(({ status }) => status)).toEqual([302, 400, 302, 303, 200]);
    expect(grants(seat).filter((one) => one.startsWith('authorization_code'))).toEqual(['authorization_code ok']);
    expect(await tokenOf(seat)).toEqual(printed(seat.lastToken));
  });

  it('a browser on another computer: the address is pasted into standard input', async () => {
    const seat = await office.seat();
    const running = seat.start([...seat.setupFlags, '--sign-in', 'paste', '--no-test', '--json']);
    const [, url = ''] = await running.says(/"authorization_required","url":"([^"]+)"/);
    running.child.stdin.write(`${url}\n`);
    await running.says(/"step":"note"/);
    running.child.stdin.end(`${await redirectOf(url)}\n`);
    const outcome = await running.ended;
    expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
    expect(await tokenOf(seat)).toEqual(printed(seat.lastToken));
  });

  it('--json: one object a line, the result last', async () => {
    const seat = await office.seat();
    const outcome = await seat.setup(['--json']);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(outcome.stdout.endsWith('}\n')).toBe(true);
    const lines = outcome.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const types: string[] = lines.map((line) => line.type);
    expect(types.filter((type) => type === 'result')).toHaveLength(1);
    expect(types.at(-1)).toBe('result');
    expect(types.filter((type) => type === 'authorization_required')).toHaveLength(1);
    const asked = lines.find((line) => line.type === 'authorization_required');
    expect(new URL(asked.url).origin).toBe(office.lab.origin);
    expect(Date.parse(asked.expires_at)).toBeGreaterThan(Date.now());
    const done = lines.filter((line) => line.type === 'progress' && line.state === 'done' && line.step !== 'note').map((line) => line.step);
    expect(done).toEqual(['store', 'tenant', 'registration', 'sign-in', 'test']);
    expect(lines.at(-1)).toMatchObject({
      schema: 'mailauth/1',
      ok: true,
      command: 'setup',
      data: { mailbox: seat.mailbox, signedIn: true, tests: [{ protocol: 'imap', ok: true }] },
    });
  });
});

describe.concurrent('refresh', () => {
  it('when it is due or wanted, and not otherwise', async () => {
    const seat = await office.seat();
    const first = await seat.ready();
    expect(await tokenOf(seat, '--min-validity', '1000')).toEqual(printed(first));
    expect(seat.app.refreshes).toBe(0);
    // Longer than any token's life: one refresh, no loop.
    const due = await tokenOf(seat, '--min-validity', '999999');
    expect(seat.app.refreshes).toBe(1);
    expect(due).toEqual(printed(seat.lastToken));
    expect(seat.lastToken).not.toBe(first);
    expect(await tokenOf(seat)).toEqual(due);
    const forced = await tokenOf(seat, '--force-refresh');
    expect(forced).toEqual(printed(seat.lastToken));
    expect(forced.stdout).not.toBe(due.stdout);
    expect(seat.app.refreshes).toBe(2);
  });

  it('ten at once: one refresh for all', async () => {
    const seat = await office.seat({ lifetimeSeconds: 120 });
    const first = await seat.ready();
    seat.app.lifetimeSeconds = 3600;
    const all = await Promise.all(Array.from({ length: 10 }, () => tokenOf(seat)));
    expect(seat.app.refreshes).toBe(1);
    expect(seat.lastToken).not.toBe(first);
    for (const outcome of all) expect(outcome).toEqual(printed(seat.lastToken));
  });

  it.each(['unavailable', 'throttled'] as const)('Entra is %s: the valid token does, unless a new one was asked for', async (refusal) => {
    const seat = await office.seat();
    const token = await seat.ready();
    seat.app.refusal = refusal;
    expect(await tokenOf(seat, '--min-validity', '999999')).toEqual(printed(token));
    const forced = await seat.failure(['token', 'get', '--force-refresh']);
    expect(forced).toMatchObject({ code: 5, error: { code: 'entra-busy' } });
    expect(forced.stdout).not.toContain(token);
  });

  it('Entra is unavailable and the token has expired', async () => {
    const seat = await office.seat({ lifetimeSeconds: 0 });
    await seat.ready();
    seat.app.refusal = 'unavailable';
    expect(await tokenOf(seat)).toMatchObject({ code: 5, stdout: '', stderr: expect.stringContaining('✖') });
    seat.app.refusal = undefined;
    seat.app.delayMs = 3000;
    expect(await seat.failure(['token', 'get', '--timeout', '1'])).toMatchObject({ code: 5, error: { code: 'connect-timeout' } });
    seat.app.delayMs = 0;
    expect(await tokenOf(seat)).toEqual(printed(seat.lastToken));
  });

  it('the sign-in has ended: the command that is named repairs it', async () => {
    const seat = await office.seat();
    await seat.ready();
    seat.app.refusal = 'revoked';
    const { code, error } = await seat.failure(['token', 'get', '--force-refresh']);
    expect({ code, id: error.code }).toEqual({ code: 4, id: 'sign-in-expired' });
    const [program, ...args] = error.next[0]?.split(' ') ?? [];
    expect([program, ...args.slice(0, 2)]).toEqual(['mailauth', 'login', seat.mailbox]);
    const repaired = await seat.run(args);
    expect(repaired.code, repaired.stderr).toBe(0);
    seat.app.refusal = undefined;
    expect(grants(seat).filter((one) => one === 'authorization_code ok')).toHaveLength(2);
    expect(await tokenOf(seat, '--force-refresh')).toEqual(printed(seat.lastToken));
  });
});

/** Where the lab sends the browser for this address, without going there. */
function redirectOf(url: string): Promise<string> {
  return new Promise((done, fail) => {
    request(url, { ca: office.lab.ca, agent: false }, (res) => done(res.resume().headers.location ?? ''))
      .on('error', fail)
      .end();
  });
}

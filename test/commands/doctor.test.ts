import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../src/doctor/check.ts';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { createNetwork } from '../../src/system/network/network.ts';
import { brokenKeychain, type Machine, machine, person } from '../support/command-line.ts';

let m: Machine;
const mailbox = 'helpdesk@contoso.example';
const everything = [
  'node',
  'home',
  'mailboxes',
  'keychain',
  'loopback',
  'browser',
  'environment',
  'authorities',
  'proxy',
  'cloud',
  'powershell',
];
const hosts = ['login', 'graph', 'imap', 'pop', 'smtp', 'clock'];
beforeAll(async () => {
  m = await machine();
  await m.ready('setup --sandbox --yes --no-test --register existing');
});
afterAll(() => m.end());

const states = (checks: readonly CheckResult[]) => Object.fromEntries(checks.map(({ id, state }) => [id, state]));

/** A cloud where nobody is at home: every name is unknown. */
async function nowhere(): Promise<string> {
  const file = join(m.home, 'nowhere.json');
  const host = (port: number, security: string) => ({ host: 'mail.nowhere.invalid', port, security });
  const cloud = {
    name: 'nowhere',
    login: 'https://login.nowhere.invalid',
    graph: 'https://graph.nowhere.invalid',
    portal: 'https://entra.microsoft.com',
    outlookScopeBase: 'https://outlook.office.com',
    imap: host(993, 'tls'),
    pop: host(995, 'tls'),
    smtp: host(587, 'starttls'),
  };
  await writeFile(file, JSON.stringify(cloud), { mode: 0o600 });
  return file;
}

describe('doctor --sandbox', () => {
  it('all checks in their order, exit 0; a missing browser only warns', async () => {
    const { exit, err, json } = await m.mailauth('doctor --sandbox --json');
    const { ok, command, data } = json();
    expect([exit, err, ok, command]).toEqual([0, '', true, 'doctor']);
    expect(data.checks.map((c: CheckResult) => c.id)).toEqual([...everything, ...hosts]);
    for (const one of data.checks) {
      expect(one).toMatchObject({ title: expect.any(String), ms: expect.any(Number), detail: expect.stringMatching(/\S/) });
      expect(one.state).toBe(one.id === 'browser' ? 'warning' : 'ok');
    }
    expect(data.checks.find((c: CheckResult) => c.id === 'browser').next[0]).toContain('--sign-in paste --sandbox');
  });

  it('as text: one line a check, signs, one summary; colours only when asked for', async () => {
    const { exit, out, err } = await m.mailauth('doctor --sandbox');
    expect([exit, err]).toEqual([0, '']);
    expect(out).toMatch(/^✔ Node\.js +20\.20\.2 on linux/);
    expect(out).toMatch(/\n! Browser .*\n {4}.*\n {4}try: mailauth setup --sign-in paste --sandbox/);
    expect(out).toMatch(/\n\n17 checks: 16 ok, 1 to look at\n$/);
    expect(out).not.toContain('\u001b');
    expect((await m.mailauth('doctor --sandbox', { tty: true })).out).toContain('\u001b[32m✔');
    expect((await m.mailauth('doctor --sandbox --no-color', { tty: true })).out).not.toContain('\u001b[3');
  });

  it('a clock that is wrong is exit 1, and says both times', async () => {
    const clock = { ...systemClock, now: () => Date.now() + 600_000 };
    const { exit, json } = await m.mailauth('doctor --sandbox --json', { clock });
    const { ok, error, data } = json();
    expect([exit, ok, error?.code, error?.exit]).toEqual([1, false, 'doctor-failed', 1]);
    const found = data.checks.find((c: CheckResult) => c.id === 'clock');
    expect(found).toMatchObject({ state: 'failed', detail: expect.stringContaining('10 minutes ahead') });
    expect(found.why).toMatch(/Z here, .*Z at localhost/);
    expect(error?.next[0]).toBe(found.next[0]);
  });

  it('needs no keychain; asked for it by name, it does', async () => {
    const keychain = brokenKeychain('locked');
    const without = await m.mailauth('doctor --sandbox --json --store keychain', { keychain });
    expect([without.exit, states(without.json().data.checks).keychain]).toEqual([1, 'failed']);
    const fresh = await machine();
    const { exit, json } = await fresh.mailauth('doctor --sandbox --json', { keychain });
    await fresh.end();
    expect([exit, states(json().data.checks).keychain]).toEqual([0, 'warning']);
  });
});

describe('doctor where much is broken', () => {
  it('goes through all checks, exit 1, each failure with its fix; stdout has the list, stderr the sum', async () => {
    const broken = await machine();
    await mkdir(join(broken.home, 'mailboxes'));
    await writeFile(join(broken.home, 'mailboxes', `${mailbox}~custom.json`), '{', { mode: 0o600 });
    await chmod(broken.home, 0o777);
    const more = {
      keychain: brokenKeychain('locked'),
      env: { NODE_EXTRA_CA_CERTS: join(broken.home, 'none.pem'), HTTPS_PROXY: 'socks5://u:hunter2@proxy', MAILAUTH_STOER: 'x' },
      network: createNetwork({ env: { HTTPS_PROXY: 'socks5://u:hunter2@proxy' } }),
    };
    const { exit, json } = await broken.mailauth('doctor --json', more);
    const { checks } = json().data;
    expect(exit).toBe(1);
    expect(states(checks)).toEqual({
      ...{ node: 'ok', home: 'failed', mailboxes: 'failed', keychain: 'failed', loopback: 'ok', browser: 'warning' },
      ...{ environment: 'warning', authorities: 'failed', proxy: 'failed', cloud: 'ok', powershell: 'ok', clock: 'warning' },
      ...{ login: 'failed', graph: 'failed', imap: 'failed', pop: 'failed', smtp: 'failed' },
    });
    for (const one of checks) if (one.state !== 'ok') expect(one.next[0]).toMatch(/\S/);
    const text = await broken.mailauth('doctor', more);
    await broken.end();
    expect(text.out).toContain('17 checks: 4 ok, 3 to look at, 10 failed');
    expect(text.err).toMatch(/^✖ 10 of 17 checks failed: Folder of mailauth, Mailbox files, Keychain, /);
    expect(text.out + text.err + JSON.stringify(checks)).not.toContain('hunter2');
  });

  it('a cloud file: its hosts; missing as a flag it is usage, missing in the environment a failed check', async () => {
    const { exit, json } = await m.mailauth(`doctor --json --cloud-file ${await nowhere()}`);
    expect(exit).toBe(1);
    const checks: readonly CheckResult[] = json().data.checks;
    expect(checks.find(({ id }) => id === 'smtp')?.detail).toContain('mail.nowhere.invalid');
    expect((await m.mailauth('doctor --cloud-file /none.json')).exit).toBe(2);
    const network = createNetwork({ env: { HTTPS_PROXY: 'socks5://proxy' } });
    const env = await m.mailauth('doctor --json', { env: { MAILAUTH_CLOUD_FILE: '/none.json' }, network });
    expect([env.exit, states(env.json().data.checks).cloud]).toEqual([1, 'failed']);
    expect((await m.mailauth('doctor --cloud mars')).exit).toBe(2);
  });

  it('a bug in one check costs that check only', async () => {
    const files = { ...systemFiles, held: () => Promise.reject(new TypeError('oops')) };
    const { exit, json } = await m.mailauth('doctor --sandbox --json', { files });
    const found = states(json().data.checks);
    expect([exit, found.home, found.keychain, found.smtp]).toEqual([1, 'failed', 'ok', 'ok']);
  });
});

describe('doctor --report', () => {
  const file = () => join(m.home, 'doctor.md');

  it('is private, and fit for strangers', async () => {
    const env = {
      HTTPS_PROXY: 'http://ada:hunter2@proxy.contoso.com:3128',
      MAILAUTH_PASSPHRASE: 'correct horse',
      MAILAUTH_TENANT: 'contoso.example',
      NODE_EXTRA_CA_CERTS: '/home/ada/secret-project.pem',
    };
    const { exit, out } = await m.mailauth(`doctor --sandbox --report ${file()}`, { env });
    expect(exit).toBe(1);
    expect(out).toContain(`Report: ${file()}\n`);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const text = await readFile(file(), 'utf8');
    expect(text).toMatch(/^# mailauth doctor report\n/);
    for (const id of [...everything, ...hosts]) expect(text).toMatch(new RegExp(`^(ok|warning|failed) +${id} `, 'm'));
    expect(text).toMatch(/^Mailbox {4}h…@c…\.example for this-computer: sandbox, keychain, imap/m);
    expect(text).toContain('~/secret-project.pem');
    expect(text).toMatch(/^Set .*MAILAUTH_PASSPHRASE.*HTTPS_PROXY/m);
    const token = (await m.mailauth('token get --sandbox')).out.trim();
    for (const hidden of ['helpdesk@', 'contoso.example', 'hunter2', 'correct horse', '/home/ada', token])
      expect(text).not.toContain(hidden);
    expect(text).not.toMatch(/\bada\b/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the point
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  it('writes over its own, and over nothing else unasked', async () => {
    expect((await m.mailauth(`doctor --sandbox --report ${file()}`)).exit).toBe(0);
    const other = join(m.home, 'notes.md');
    await writeFile(other, 'my notes');
    const refused = await m.mailauth(`doctor --sandbox --json --report ${other}`);
    expect([refused.exit, refused.json().error?.code]).toEqual([3, 'doctor-report-exists']);
    expect(refused.json().error?.next[0]).toContain('--yes');
    const no = person([['Write over it?', false]]);
    expect((await m.mailauth(`doctor --sandbox --report ${other}`, { terminal: true, prompts: no.prompts })).exit).toBe(3);
    expect(await readFile(other, 'utf8')).toBe('my notes');
    const yes = person([['Write over it?', true]]);
    expect((await m.mailauth(`doctor --sandbox --report ${other}`, { terminal: true, prompts: yes.prompts })).exit).toBe(0);
    await writeFile(other, 'my notes');
    expect((await m.mailauth(`doctor --sandbox --yes --report ${other}`)).exit).toBe(0);
    expect(await readFile(other, 'utf8')).toMatch(/^# mailauth doctor report\n/);
  });

  it('that cannot be written leaves the results', async () => {
    const { exit, json } = await m.mailauth(`doctor --sandbox --json --report ${join(file(), 'below.md')}`);
    const { error, data } = json();
    expect([exit, error?.code, data.checks.length]).toEqual([1, 'doctor-report-failed', 17]);
  });
});

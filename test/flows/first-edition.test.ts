import { chmod, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { type How, type Machine, machine } from '../support/command-line.ts';

/** What version 0.1.0 wrote; test/data/0.1.0/README.md says how. */
const data = fileURLToPath(new URL('../data/0.1.0/', import.meta.url));
const [helpdesk, support, shared, box] = ['helpdesk', 'support', 'shared', 'box'].map((name) => `${name}@contoso.example`);
const passphrase = (await readFile(join(data, 'passphrase.txt'), 'utf8')).trim();

let pc: Machine;
afterEach(() => pc.end());

/** A computer with one of these homes, ten minutes after it was written: its tokens are valid. */
async function computer(name: string): Promise<(words: string, how?: How) => ReturnType<Machine['mailauth']>> {
  pc = await machine();
  await cp(join(data, name), pc.home, { recursive: true });
  await cp(join(data, 'key'), join(pc.home, 'key'));
  await onlyMine(pc.home);
  const { createdAt } = await recordOf();
  const ahead = Date.parse(createdAt) + 600_000 - systemClock.now();
  const clock = { ...systemClock, now: () => systemClock.now() + ahead };
  const env = name === 'passphrase' ? { MAILAUTH_PASSPHRASE: passphrase } : { MAILAUTH_KEY_FILE: join(pc.home, 'key') };
  return (words, how = {}) => pc.mailauth(words, { clock, ...how, env: { ...env, ...how.env } });
}

/** Git keeps no modes; mailauth gives its files to nobody else. */
async function onlyMine(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
}

const mailboxFolder = async () => ((await stat(join(pc.home, 'mailboxes')).catch(() => undefined)) ? 'mailboxes' : 'sandbox/mailboxes');
async function fileOf(): Promise<string> {
  const folder = join(pc.home, await mailboxFolder());
  const [first = ''] = (await readdir(folder)).sort();
  return join(folder, first);
}
const recordOf = async () => JSON.parse(await readFile(await fileOf(), 'utf8'));

const jsonOf = async (ran: ReturnType<Machine['mailauth']>) => (await ran).json();

describe('a sealed file with a key file, and set-ups of several products', () => {
  it('status, token show, token get and secret show read them', async () => {
    const run = await computer('key-file');
    const { data: all } = await jsonOf(run('status --sandbox --json'));
    expect(
      all.mailboxes.map(({ mailbox, for: product, signedIn }: Record<string, unknown>) => [mailbox, product, signedIn]).sort(),
    ).toEqual([
      [helpdesk, 'this-computer', true],
      [shared, 'custom', true],
      [support, 'osticket', false],
    ]);
    expect(all.pending.map(({ mailbox, waitsFor }: Record<string, unknown>) => [mailbox, waitsFor]).sort()).toEqual([
      ['ada@contoso.example', 'resume'],
      ['bob@contoso.example', 'administrator'],
    ]);
    for (const mailbox of [helpdesk, shared]) {
      const shown = await jsonOf(run(`token show ${mailbox} --sandbox --reveal --json`));
      expect(shown.data).toMatchObject({ mailbox, store: 'file', refreshable: true });
      expect((await run(`token get ${mailbox} --sandbox`)).out).toBe(`${shown.data.accessToken}\n`);
    }
    const secret = await jsonOf(run(`secret show ${support} --sandbox --reveal --json`));
    expect(secret.data).toMatchObject({ stored: true, clientSecret: expect.stringMatching(/^.{30,}$/) });
  });

  it('renews, tests, finishes the interrupted set-up and the rotation that was killed', async () => {
    const run = await computer('key-file');
    expect((await run(`token get ${helpdesk} --sandbox --force-refresh`)).exit).toBe(0);
    expect((await jsonOf(run(`test all ${helpdesk} --sandbox --json`))).data.results.map(({ ok }: { ok: boolean }) => ok)).toEqual([
      true,
      true,
      true,
    ]);
    const resumed = (await run('setup --resume --mailbox ada@contoso.example --sandbox --yes --json')).lines().at(-1);
    expect(resumed?.data).toMatchObject({ mailbox: 'ada@contoso.example', signedIn: true });
    // No token stands beside the client secret of a product, so nothing says where it may be sent; whoever has its value says it.
    const rotate = `secret rotate ${support} --for osticket --sandbox --yes --json`;
    const refused = await jsonOf(run(rotate));
    expect(refused.error).toMatchObject({ code: 'authority-unknown', exit: 4 });
    const { clientSecret } = (await jsonOf(run(`secret show ${support} --sandbox --reveal --json`))).data;
    await writeFile(join(pc.home, 'secret'), clientSecret, { mode: 0o600 });
    const [, words = ''] = /^mailauth (.*)$/.exec(refused.error?.next[0] ?? '') ?? [];
    const given = await run(words.replace('--client-secret-file -', `--client-secret-file ${join(pc.home, 'secret')} --yes`));
    expect(given.exit, given.err).toBe(0);
    expect((await jsonOf(run(rotate))).data?.finished).toBe(false);
    expect((await jsonOf(run(`${rotate} --finish`))).data?.finished).toBe(true);
    expect((await jsonOf(run('status --sandbox --json'))).data.summary).toMatchObject({ total: 4, ok: 4, pending: 1 });
  });

  it('store move and logout leave nothing behind', async () => {
    const run = await computer('key-file');
    const before = (await run(`token get ${helpdesk} --sandbox`)).out;
    const moved = await jsonOf(run('store move keychain --sandbox --json'));
    expect(moved.data.mailboxes.map((one: { moved: boolean }) => one.moved)).toEqual([true, true, true]);
    expect((await run(`token get ${helpdesk} --sandbox`)).out).toBe(before);
    expect((await run('logout --all --sandbox --yes')).exit).toBe(0);
    expect(pc.keychain.entries.size).toBe(0);
    const left = (await readdir(join(pc.home, 'sandbox'), { recursive: true })).filter((name) => name.includes('@'));
    expect(left).toEqual([]);
  });
});

it('a sealed file with a passphrase', async () => {
  const run = await computer('passphrase');
  const shown = await jsonOf(run('token show --sandbox --reveal --json'));
  expect(shown.data).toMatchObject({ mailbox: helpdesk, store: 'file' });
  expect((await run('token get --sandbox')).out).toBe(`${shown.data.accessToken}\n`);
  expect((await run('logout --sandbox --yes')).exit).toBe(0);
});

it('entries of the keychain', async () => {
  const run = await computer('keychain');
  const entries: Record<string, string> = JSON.parse(await readFile(join(pc.home, 'keychain.json'), 'utf8'));
  for (const [name, value] of Object.entries(entries)) pc.keychain.entries.set(name, value);
  const { data: all } = await jsonOf(run('status --sandbox --json'));
  expect(all.mailboxes.map(({ mailbox, signedIn }: Record<string, unknown>) => [mailbox, signedIn]).sort()).toEqual([
    [helpdesk, true],
    [support, false],
  ]);
  const token = (await run(`token get ${helpdesk} --sandbox`)).out;
  expect(token).toMatch(/^ey/);
  expect((await jsonOf(run(`secret show ${support} --sandbox --reveal --json`))).data.stored).toBe(true);
  expect((await jsonOf(run('store move file --sandbox --json'))).data.secrets).toBe(Object.keys(entries).length);
  expect([pc.keychain.entries.size, (await run(`token get ${helpdesk} --sandbox`)).out]).toEqual([0, token]);
  expect((await run('logout --all --sandbox --yes')).exit).toBe(0);
});

describe('a sign-in that does not say where it belongs', () => {
  it('is taken over where its mailbox file agrees with its token, and the cloud is one of Microsoft’s', async () => {
    const run = await computer('microsoft');
    expect((await jsonOf(run('status --json'))).data.mailboxes).toMatchObject([{ mailbox: box, state: 'ok', signedIn: true }]);
    expect((await jsonOf(run('token show --json'))).data).toMatchObject({ mailbox: box, store: 'file' });
    expect((await run('token get')).out).toMatch(/^ey[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect((await run('logout --yes')).exit).toBe(0);
  });

  it.each<[string, (record: Record<string, unknown>) => object]>([
    ['tenant', (record) => ({ ...record, tenantId: '11111111-2222-4333-8444-555555555555' })],
    [
      'app',
      (record) => ({ ...record, registration: { ...Object(record.registration), clientId: '11111111-2222-4333-8444-555555555555' } }),
    ],
  ])('is not handed out where the mailbox file names another %s', async (_, change) => {
    const run = await computer('microsoft');
    await writeFile(await fileOf(), JSON.stringify(change(await recordOf())));
    const ran = await run('token get --json');
    expect([ran.exit, ran.json().error?.code, ran.out.includes('eyJ')]).toEqual([4, 'authority-unknown', false]);
    expect(ran.json().error?.next[0]).toMatch(/^mailauth (?:login|setup) /);
  });

  it('of another cloud is taken over with the cloud file that describes it, and not without', async () => {
    const run = await computer('lab');
    const without = await run('token get --json');
    expect([without.exit, without.json().error?.code]).toEqual([4, 'authority-unknown']);
    expect((await run(`token get --cloud-file ${join(pc.home, 'lab.json')}`)).out).toMatch(/^ey/);
    await rm(join(pc.home, 'lab.json'));
    expect((await run('logout --yes')).exit).toBe(0);
  });
});

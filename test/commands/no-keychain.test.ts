import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../src/core/secret.ts';
import { openStore } from '../../src/session/open-store.ts';
import { ensureHomeId } from '../../src/store/home.ts';
import { systemRandom } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { brokenKeychain, type How, type Machine, machine, person, type Scripted } from '../support/command-line.ts';
import { testContext } from '../support/context.ts';
import { windowsPrograms } from '../support/windows.ts';

/** A server without a keychain. Nothing answers at Microsoft's addresses here, so the set-up ends after the store was chosen. */
let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const where = 'Where should mailauth keep the tokens?';
const words = 'setup --mailbox helpdesk@contoso.example --for this-computer --sign-in-as helpdesk@contoso.example';
const config = () => join(m.home, 'config');
const server = (): How => ({
  keychain: brokenKeychain('no-bus'),
  terminal: true,
  network: testContext().network,
  env: { XDG_CONFIG_HOME: config(), HOME: m.home },
});
const homeFile = async () => JSON.parse(await readFile(join(m.home, 'home.json'), 'utf8'));
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

async function setUp(script: readonly Scripted[], more: How = {}) {
  const { prompts, unasked, asked } = person(script);
  const ran = await m.mailauth(words, { ...server(), prompts, ...more });
  expect(unasked()).toEqual([]);
  return { ...ran, asked };
}

describe('no keychain, on a terminal', () => {
  it('a key file is made outside of MAILAUTH_HOME, recorded, and used from then on', async () => {
    const ran = await setUp([[where, 'key']]);
    const { id, keyFile } = await homeFile();
    expect(keyFile).toBe(join(config(), 'mailauth-key', `${id}.key`));
    expect([(await stat(keyFile)).mode & 0o777, (await stat(join(config(), 'mailauth-key'))).mode & 0o777]).toEqual([0o600, 0o700]);
    expect((await readFile(keyFile)).length).toBe(32);
    expect(ran.err.replace(/\s+/g, ' ')).toMatch(/Key file made: \S+\. Keep a copy of it elsewhere.*Secret store works: sealed file/);
    // Another command of this home, without a variable.
    const open = () => openStore(testContext({ env: {} }), { sandbox: false, noInput: true, yes: false }, m.home, 'file');
    await (await open()).write('entry', new Secret('value'));
    expect((await (await open()).read('entry'))?.reveal()).toBe('value');
    await expect(
      (
        await openStore(
          testContext({ env: { MAILAUTH_KEY_FILE: join(m.home, 'home.json') } }),
          { sandbox: false, noInput: true, yes: false },
          m.home,
          'file',
        )
      ).read('entry'),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^key-file-unusable|file-exposed$/) });
    // The next mailbox of this home uses the same file.
    const again = await m.mailauth(words.replace('helpdesk@contoso.example --for', 'ada@contoso.example --for'), {
      ...server(),
      prompts: person([[where, 'key']]).prompts,
    });
    expect([(await homeFile()).keyFile, again.err.includes('Key file made')]).toEqual([keyFile, false]);
  });

  it('on Windows the key file is closed to others, by icacls', async () => {
    const asked: string[] = [];
    const onWindows = { platform: 'win32', keychain: brokenKeychain('denied'), windowsProgram: windowsPrograms({ asked }) } as const;
    const ran = await setUp([[where, 'key']], { ...onWindows, env: { APPDATA: config() } });
    const { keyFile } = await homeFile();
    expect(asked.at(-1)).toMatch(/^icacls .*mailauth-key.* \/inheritance:r \/grant:r /);
    expect([(await readFile(keyFile)).length, ran.err.includes(keyFile)]).toEqual([32, true]);
  });

  it('Windows without a log-on session: the page names the sealed file and its key', async () => {
    const keychain = { ...brokenKeychain('denied'), label: 'Windows Credential Manager' };
    const ran = await setUp([[where, 'stop']], { platform: 'win32', keychain, env: { APPDATA: config() } });
    expect(ran.exit).toBe(7);
    expect(ran.err).toMatch(/MAILAUTH_STORE=file; mailauth store keygen/);
    expect(ran.err.replace(/\s+/g, ' ')).toContain('in a service or in a task of nobody logged on');
  });

  it('a key file that an interrupted run has left is used', async () => {
    const id = await ensureHomeId(systemFiles, systemRandom, m.home);
    const left = join(config(), 'mailauth-key', `${id}.key`);
    await systemFiles.create(left, Buffer.alloc(32, 7));
    await setUp([[where, 'key']]);
    expect([(await homeFile()).keyFile, (await readFile(left))[0]]).toEqual([left, 7]);
  });

  it('a passphrase: the question says what it is for, and what losing it means', async () => {
    const phrase = 'four unrelated words here';
    const ran = await setUp([
      [where, 'passphrase'],
      ['New passphrase for', phrase],
      ['The same passphrase again?', phrase],
    ]);
    expect(ran.asked[1]).toMatch(/opens the sign-ins kept there; without it every mailbox must sign in again/);
    expect([await exists(join(m.home, 'secrets.sealed')), await exists(join(config(), 'mailauth-key'))]).toEqual([true, false]);
    // Its key is the passphrase, so no key file is offered for it.
    const { prompts } = person([]);
    let offered: readonly string[] = [];
    const select: typeof prompts.select = async ({ choices }) => {
      offered = choices.map(({ value }) => value);
      throw new Error('enough');
    };
    await m.mailauth(words, { ...server(), prompts: { ...prompts, select } });
    expect(offered).toEqual(['passphrase', 'stop']);
  });

  it('stop: exit 7, with the ways to start a keychain; no file was made', async () => {
    const ran = await setUp([[where, 'stop']]);
    expect([ran.exit, ran.err]).toEqual([7, expect.stringContaining('dbus-run-session')]);
    expect([await exists(join(m.home, 'secrets.sealed')), await exists(join(config(), 'mailauth-key'))]).toEqual([false, false]);
  });
});

describe('no keychain, and nobody to ask', () => {
  it.each([
    ['--yes', '--yes', true],
    ['--no-input', '--no-input --client-id 11111111-2222-3333-4444-555555555555', true],
    ['no terminal', '--client-id 11111111-2222-3333-4444-555555555555', false],
    ['a keychain that was asked for', '--store keychain --client-id 11111111-2222-3333-4444-555555555555', true],
  ])('%s: exit 7', async (_, more, terminal) => {
    const ran = await m.mailauth(`${words} ${more}`, { ...server(), terminal });
    expect([ran.exit, await exists(join(m.home, 'secrets.sealed'))]).toEqual([7, false]);
  });

  it('a recorded key file that is gone is told by its path', async () => {
    const id = await ensureHomeId(systemFiles, systemRandom, m.home);
    await writeFile(join(m.home, 'home.json'), JSON.stringify({ version: 1, id, keyFile: '/nowhere/at-all.key' }));
    const ran = await m.mailauth(`${words} --yes --store file`, server());
    expect([ran.exit, ran.err]).toEqual([7, expect.stringContaining('/nowhere/at-all.key')]);
    expect(ran.err).toContain('home.json names it');
  });
});

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/system/clock-and-random.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { clickThrough } from '../support/click-through.ts';
import { back, brokenKeychain, enter, type Machine, machine, person } from '../support/command-line.ts';
import { quickClock } from '../support/context.ts';
import { stream } from '../support/json-stream.ts';

let m: Machine;
beforeEach(async () => {
  m = await machine();
});
afterEach(() => m.end());

const mailbox = 'helpdesk@contoso.example';
const box = (name: string) => join(m.home, 'sandbox', name);
const files = async (folder: string): Promise<readonly string[]> => readdir(box(folder)).catch(() => []);

describe('login', () => {
  beforeEach(() => m.ready('setup --sandbox --yes --no-test'));

  it('is done already without --force', async () => {
    const { exit, lines } = await m.mailauth('login --sandbox --json');
    expect(exit).toBe(0);
    expect(lines()).toMatchObject([{ type: 'result', ok: true, command: 'login', data: { mailbox, alreadySignedIn: true } }]);
  });

  it('with --force streams a new sign-in with the account to choose', async () => {
    const before = (await m.mailauth('token get --sandbox')).out;
    const { exit, lines } = await m.mailauth('login --force --sandbox --yes --json');
    expect(exit).toBe(0);
    expect(stream(lines())).toMatchObject({ ok: true, command: 'login', data: { mailbox, alreadySignedIn: false } });
    const url = new URL(lines().find((l) => l.type === 'authorization_required')?.url ?? '');
    expect([url.searchParams.get('prompt'), url.searchParams.get('login_hint')]).toEqual(['select_account', null]);
    expect(url.searchParams.get('scope')).not.toContain('graph');
    expect((await m.mailauth('token get --sandbox')).out).not.toBe(before);
  });

  it.each([
    ['login --force --sandbox --sign-in paste --no-input --json', {}],
    ['login --force --sandbox --sign-in paste --json', { terminal: true }],
    ['login --force --sandbox --sign-in paste --yes --json', { terminal: true }],
    ['setup --sandbox --mailbox ada@contoso.example --sign-in paste --yes --no-input --json', {}],
    ['setup --sandbox --mailbox ada@contoso.example --sign-in paste --yes --json', { terminal: true }],
  ])('%s: nobody is waited for who could paste (%o): exit 3, and nothing is changed', async (words, how) => {
    const before = [await readFile(box('state.json'), 'utf8'), ...m.keychain.entries.values()];
    const { exit, lines } = await m.mailauth(words, how);
    expect([exit, stream(lines()).error?.code]).toEqual([3, 'paste-not-asked']);
    const [asks, device] = stream(lines()).error?.next ?? [];
    expect(asks).not.toMatch(/--(?:no-input|json|yes)/);
    expect(device).toContain('--sign-in device');
    expect([await readFile(box('state.json'), 'utf8'), ...m.keychain.entries.values()]).toEqual(before);
  });

  it('leaves what a rotation noted about the app while somebody was signing in', async () => {
    const folder = box('mailboxes');
    const path = join(folder, (await readdir(folder))[0] ?? '');
    const noted = async () => JSON.parse(await readFile(path, 'utf8'));
    const browser = {
      usable: true,
      async open(url: string) {
        const record = await noted();
        record.registration = { ...record.registration, secretKeyId: 'new', oldSecretKeyId: 'old' };
        await writeFile(path, JSON.stringify(record));
        void clickThrough(`${url}&login_hint=${mailbox}`).then((back) => fetch(back));
        return { kind: 'opened' as const };
      },
    };
    const { exit, err } = await m.mailauth('login --force --sandbox --no-test', { browser });
    expect(exit, err).toBe(0);
    expect((await noted()).registration).toMatchObject({ secretKeyId: 'new', oldSecretKeyId: 'old' });
  });

  it('stores where the mailbox lives by then: `store move` ran while somebody was signing in', async () => {
    const key = join(m.home, 'key');
    await writeFile(key, Buffer.alloc(32, 7), { mode: 0o600 });
    const env = { MAILAUTH_KEY_FILE: key };
    const browser = {
      usable: true,
      async open(url: string) {
        expect((await m.mailauth('store move file --sandbox', { env })).exit).toBe(0);
        void clickThrough(`${url}&login_hint=${mailbox}`).then((back) => fetch(back));
        return { kind: 'opened' as const };
      },
    };
    const before = (await m.mailauth('token get --sandbox')).out;
    const { exit, err } = await m.mailauth('login --force --sandbox --no-test', { browser, env });
    expect(exit, err).toBe(0);
    const { json } = await m.mailauth('status --sandbox --json', { env });
    expect(json().data.mailboxes).toMatchObject([{ store: 'file' }]);
    expect((await m.mailauth('token get --sandbox', { env })).out).not.toBe(before);
    expect(m.keychain.entries.size).toBe(0);
  });

  it('waits for a refresh that is under way before it stores, and stores all the same when that never ends', async () => {
    const lock = join(box('locks'), 'token-helpdesk@contoso.example~this-computer');
    let release: (() => Promise<void>) | undefined;
    const browser = {
      usable: true,
      async open(url: string) {
        release = await systemFiles.lock(lock, 0);
        void clickThrough(`${url}&login_hint=${mailbox}`).then((back) => fetch(back));
        return { kind: 'opened' as const };
      },
    };
    const before = (await m.mailauth('token get --sandbox')).out;
    const { exit, err } = await m.mailauth('login --force --sandbox --timeout 1 --no-test', { browser });
    await release?.();
    expect(exit, err).toBe(0);
    expect((await m.mailauth('token get --sandbox')).out).not.toBe(before);
  });

  it.each([
    ['token-audience', 4],
    ['imap-auth-failed', 4],
    ['smtp-auth-disabled-mailbox', 6],
  ])('says that the new tokens do not work at the mail server, under %s: exit %i', async (fault, code) => {
    const { exit, lines } = await m.mailauth(`login --force --sandbox --yes --json --fault ${fault}`);
    const result = stream(lines());
    expect([exit, result]).toMatchObject([code, { ok: false, data: { mailbox, tests: expect.any(Array) }, error: { exit: code } }]);
    expect((await m.mailauth(`login --force --sandbox --yes --no-test --fault ${fault}`)).exit).toBe(0);
  });

  it('a mail server that is only busy is a note', async () => {
    const { exit, err } = await m.mailauth('login --force --sandbox --yes --fault imap-throttled');
    expect([exit, err]).toEqual([0, expect.stringContaining('not proven at the mail server')]);
  });

  it('a damaged entry is replaced without --force; a sign-in that has ended and cannot be checked is no success', async () => {
    const [account] = [...m.keychain.entries.keys()].filter((name) => name.includes('token/'));
    m.keychain.entries.set(account ?? '', 'garbage');
    expect((await m.mailauth('token get --sandbox')).exit).toBe(7);
    expect((await m.mailauth('login --sandbox --yes --no-test')).exit).toBe(0);
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
    const later = { ...systemClock, now: () => Date.now() + 86_400_000 };
    expect((await m.mailauth('login --sandbox --yes --fault throttled', { clock: later })).exit).toBe(5);
  });

  it('nobody comes back: exit 4 after --timeout', async () => {
    const { exit, lines } = await m.mailauth('login --force --sandbox --json --timeout 1', { clock: quickClock });
    expect([exit, stream(lines()).error?.code]).toEqual([4, 'sign-in-timeout']);
  });

  it('--no-input and --json open the browser all the same', async () => {
    const opened: string[] = [];
    const browser = {
      usable: true,
      async open(url: string) {
        opened.push(url);
        return { kind: 'opened' as const };
      },
    };
    await m.mailauth('login --force --sandbox --json --timeout 1', { browser, clock: quickClock });
    expect(opened).toHaveLength(1);
  });
});

describe('logout', () => {
  it('removes every local trace; a second one is 0', async () => {
    await m.ready('setup --sandbox --yes --no-test --client-type confidential');
    const { exit, json } = await m.mailauth(`logout ${mailbox} --sandbox --json`);
    expect([exit, json()]).toEqual([
      0,
      { schema: 'mailauth/1', ok: true, command: 'logout', data: { removed: [{ mailbox, for: 'this-computer' }] } },
    ]);
    expect(m.keychain.entries.size).toBe(0);
    expect(await files('mailboxes')).toEqual([]);
    expect(await files('setups')).toEqual([]);
    for (const words of [`logout ${mailbox}`, 'logout', 'logout --all']) {
      expect(await m.mailauth(`${words} --sandbox`)).toMatchObject({ exit: 0, out: 'Nothing to remove.\n', err: '' });
    }
    expect((await m.mailauth(`token get ${mailbox} --sandbox`)).exit).toBe(4);
  });

  it.each(['helpdesk@contoso.example', '--all --yes', ''])(
    'of a set-up that waits for an administrator: logout %s says so, and nothing is left',
    async (words) => {
      const waiting = { mailbox, for: 'this-computer' };
      const line = `logout ${words} --sandbox --json`.replace('  ', ' ');
      await m.mailauth('setup --sandbox --yes --register handoff');
      expect([await files('handoff'), await files('setups')]).toEqual([[expect.any(String)], [expect.any(String)]]);
      expect((await m.mailauth(line)).json().data.removed).toEqual([waiting]);
      expect([await files('handoff'), await files('setups')]).toEqual([[], []]);
      expect(await m.mailauth(line)).toMatchObject({ exit: 0, out: expect.stringContaining('"removed":[]') });
      // Finished afterwards: the folder is still there.
      await m.mailauth('setup --sandbox --yes --register handoff');
      await m.mailauth('setup --sandbox --yes --no-test --fresh');
      expect([await files('handoff'), await files('setups')]).toEqual([[expect.any(String)], []]);
      expect(await m.mailauth(line.replace(' --json', ''))).toMatchObject({
        exit: 0,
        out: `Removed ${mailbox} from this computer.\n`,
      });
      expect(await files('handoff')).toEqual([]);
    },
  );

  it('one mailbox for two products: a script must say which, also with --yes; --for leaves the other', async () => {
    await m.ready('setup --sandbox --yes --no-test', 'setup --sandbox --yes --for mspbots');
    for (const line of ['logout', `logout ${mailbox}`, `logout ${mailbox} --yes`]) {
      const { exit, json } = await m.mailauth(`${line} --sandbox --json`);
      expect([exit, json().error?.code]).toEqual([3, 'guide-choice']);
      expect(json().error?.next[0]).toMatch(new RegExp(`^mailauth logout ${mailbox} .*--for mspbots`));
    }
    for (const removed of [[{ mailbox, for: 'mspbots' }], []]) {
      expect((await m.mailauth('logout --all --yes --for mspbots --sandbox --json')).json().data).toEqual({ removed });
    }
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
  });

  it('a terminal shows what goes, asks which set-up, and No keeps everything', async () => {
    await m.ready('setup --sandbox --yes --no-test', 'setup --sandbox --yes --for mspbots');
    const ask = async (line: string, script: Parameters<typeof person>[0]) => {
      const { prompts, asked, unasked } = person(script);
      const ended = await m.mailauth(`${line} --sandbox`, { terminal: true, prompts });
      expect(unasked()).toEqual([]);
      return { ...ended, asked };
    };
    const kept = await ask('logout', [
      ['Which one goes?', 'this-computer'],
      ['Remove this from this computer?', back],
      ['Which one goes?', 'mspbots'],
      ['Remove this from this computer?', enter],
    ]);
    expect([kept.exit, kept.err]).toEqual([1, expect.stringContaining('nothing was removed')]);
    expect(kept.err).toContain(`${mailbox} (MSPbots): settings, client secret`);
    expect(kept.err).toContain('it cannot be got back');
    const all = await ask('logout --all', [
      ['Type 2 to remove them', 'yes'],
      ['Type 2', '2'],
    ]);
    expect([all.exit, all.asked]).toEqual([0, expect.arrayContaining(['complaint: type 2, or press Ctrl-C to keep them'])]);
    expect(m.keychain.entries.size).toBe(0);
  });

  it('--all of a script needs --yes, and no mailbox beside it', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    const { exit, json } = await m.mailauth('logout --all --sandbox --json');
    expect([exit, json().error]).toEqual([
      3,
      expect.objectContaining({ code: 'needs-yes', next: ['mailauth logout --all --json --sandbox --yes'] }),
    ]);
    expect((await m.mailauth(`logout ${mailbox} --all --yes --sandbox`)).exit).toBe(2);
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
    // With --yes nothing is asked on a terminal either.
    expect((await m.mailauth('logout --all --yes --sandbox', { terminal: true, prompts: person([]).prompts })).exit).toBe(0);
  });

  it('--all removes all', async () => {
    await m.ready(...['ada', 'bob'].map((who) => `setup --sandbox --yes --no-test --mailbox ${who}@contoso.example`));
    expect((await m.mailauth('logout --all --yes --sandbox --json')).json().data.removed).toHaveLength(2);
    expect(m.keychain.entries.size).toBe(0);
  });

  it('--delete-app is refused for an app that mailauth did not make, and nothing is removed', async () => {
    await m.ready('setup --sandbox --yes --no-test --register existing');
    expect((await m.mailauth('logout --delete-app --sandbox')).exit).toBe(1);
    expect((await m.mailauth('token get --sandbox')).exit).toBe(0);
  });

  it('keeps the mailbox file when the keychain refuses, so that it can be tried again', async () => {
    await m.ready('setup --sandbox --yes --no-test');
    expect((await m.mailauth('logout --sandbox', { keychain: brokenKeychain('locked') })).exit).toBe(7);
    expect(await files('mailboxes')).toHaveLength(1);
    expect((await m.mailauth('logout --sandbox')).exit).toBe(0);
  });

  it('forgets an interrupted set-up of the sandbox also where no keychain is usable', async () => {
    const keychain = brokenKeychain('no-bus');
    await m.mailauth('setup --sandbox --yes --register handoff --json', { keychain });
    expect(await files('setups')).toHaveLength(1);
    expect((await m.mailauth('logout --sandbox --all --yes', { keychain })).exit).toBe(0);
    expect(await files('setups')).toEqual([]);
  });
});

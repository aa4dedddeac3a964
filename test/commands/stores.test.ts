import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Files } from '../../src/core/context.ts';
import type { Keychain } from '../../src/core/keychain-port.ts';
import { systemFiles } from '../../src/system/disk/files.ts';
import { brokenKeychain, type How, type Machine, machine, person } from '../support/command-line.ts';
import { MemoryKeychain } from '../support/context.ts';
import { countOf, hurried } from '../support/tenant.ts';

/** One mailbox with a client secret, set up into the sealed file; each test begins with that file as it was. */
let m: Machine;
let token = '';
let keyFile = '';
let sealed = '';
let kept = '';
const home = () => join(m.home, 'sandbox');
const record = async () => JSON.parse(await readFile(join(home(), 'mailboxes', 'helpdesk@contoso.example~this-computer.json'), 'utf8'));
/** No keychain is touched unless a test hands one in. */
const mailauth = (words: string, { env, ...more }: How = {}) =>
  m.mailauth(`${words} --sandbox`, { keychain: brokenKeychain('no-bus'), env: { MAILAUTH_KEY_FILE: keyFile, ...env }, ...more });

beforeAll(async () => {
  m = await machine();
  keyFile = join(m.home, 'key');
  expect((await mailauth(`store keygen ${keyFile}`)).exit).toBe(0);
  sealed = join(home(), 'secrets.sealed');
  kept = await mkdtemp(join(tmpdir(), 'mailauth-kept-'));
  const { clock, signal } = hurried();
  const setup = await mailauth('setup --yes --no-test --store file --client-type confidential', { clock, signal });
  expect(setup.exit, setup.err).toBe(0);
  token = (await mailauth('token get')).out;
  for (const name of ['secrets.sealed', 'secrets.sealed.copy']) await copyFile(join(home(), name), join(kept, name));
  await copyFile(join(home(), 'mailboxes', 'helpdesk@contoso.example~this-computer.json'), join(kept, 'record'));
}, 60_000);
afterAll(async () => {
  await rm(kept, { recursive: true });
  await m.end();
});
beforeEach(async () => {
  for (const name of await readdir(home())) if (name.startsWith('secrets.sealed')) await rm(join(home(), name));
  for (const name of ['secrets.sealed', 'secrets.sealed.copy']) await copyFile(join(kept, name), join(home(), name));
  await copyFile(join(kept, 'record'), join(home(), 'mailboxes', 'helpdesk@contoso.example~this-computer.json'));
});

describe('--store file', () => {
  it('keeps everything of a set-up in the sealed file and nothing in plain text', async () => {
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect((await record()).store).toBe('file');
    expect((await stat(sealed)).mode & 0o777).toBe(0o600);
    expect((await mailauth('token show --json')).json().data.store).toBe('file');
    const secret = (await mailauth('secret show --reveal')).out;
    expect(secret).toMatch(/\S/);
    for (const entry of await readdir(home(), { withFileTypes: true, recursive: true })) {
      if (entry.isFile()) expect(await readFile(join(entry.parentPath, entry.name), 'latin1')).not.toContain(token.trim());
    }
  });

  it('a set-up that was interrupted goes on in the store it began in, and changes of a finished one stay there', async () => {
    const other = await machine();
    const there = (words: string, how: How = {}) =>
      other.mailauth(`${words} --sandbox --yes --json`, {
        keychain: brokenKeychain('no-bus'),
        env: { MAILAUTH_KEY_FILE: keyFile },
        ...how,
      });
    try {
      const begun = await there('setup --no-test --store file --client-type confidential --fault code-expired', hurried());
      expect(begun.exit).not.toBe(0);
      const journal = JSON.parse(await readFile(join(other.home, 'sandbox/setups/helpdesk@contoso.example~this-computer.json'), 'utf8'));
      expect(journal.store).toBe('file');
      const resumed = await there('setup --resume', hurried());
      expect(resumed.exit, resumed.out).toBe(0);
      const again = await there('setup --protocols imap --client-type confidential', hurried());
      expect(again.exit, again.out).toBe(0);
      expect((await there('status')).json().data.mailboxes).toMatchObject([{ store: 'file', signedIn: true }]);
      expect(await readdir(join(other.home, 'sandbox'))).not.toContain('secrets.json');
      expect(await countOf(other)).toMatchObject({ apps: 1, secrets: 1 });
    } finally {
      await other.end();
    }
  });

  it('is refreshed in place', async () => {
    const { exit, out } = await mailauth('token get --force-refresh');
    expect([exit, out === token]).toEqual([0, false]);
    expect((await mailauth('token get')).out).toBe(out);
  });

  it('a cached token is read without a lock and without a write', async () => {
    const refuse = async () => {
      throw Object.assign(new Error('read-only'), { code: 'EROFS' });
    };
    const files: Files = { ...systemFiles, writeAtomic: refuse, create: refuse, remove: refuse, lock: refuse };
    expect(await mailauth('token get', { files })).toMatchObject({ exit: 0, out: token, err: '' });
  });

  it('ends with 7 without its key and with a wrong one, and never uses another store', async () => {
    const other = join(m.home, 'other-key');
    await mailauth(`store keygen ${other}`);
    const get = async (env: Record<string, string>) => {
      const { exit, json } = await mailauth('token get --json', { env, keychain: m.keychain });
      return [exit, json().error?.code];
    };
    expect(await get({ MAILAUTH_KEY_FILE: '' })).toEqual([7, 'sealed-key-kind']);
    expect(await get({ MAILAUTH_KEY_FILE: other })).toEqual([7, 'sealed-key-wrong']);
    expect(await get({ MAILAUTH_KEY_FILE: '', MAILAUTH_PASSPHRASE: 'some words' })).toEqual([7, 'sealed-key-kind']);
    await chmod(other, 0o644);
    expect(await get({ MAILAUTH_KEY_FILE: other })).toEqual([7, 'file-exposed']);
    expect(m.keychain.entries.size).toBe(0);
  });

  it('removes every trace with logout', async () => {
    expect((await mailauth('logout')).exit).toBe(0);
    await copyFile(join(kept, 'record'), join(home(), 'mailboxes', 'helpdesk@contoso.example~this-computer.json'));
    expect((await mailauth('token get')).exit).toBe(4);
    expect(await readFile(`${sealed}.copy`)).toEqual(await readFile(sealed));
  });

  it('with a passphrase is asked for once, and twice over when it is new', async () => {
    for (const name of ['secrets.sealed', 'secrets.sealed.copy']) await rm(join(home(), name));
    const env = { MAILAUTH_KEY_FILE: '' };
    const first = person([
      ['New passphrase', 'four unrelated words'],
      ['again?', 'four unrelated words'],
    ]);
    const way = { env, terminal: true, browser: { usable: false, open: async () => ({ kind: 'failed' as const, why: 'none' }) } };
    // doctor probes the store, which makes the file.
    await mailauth('doctor --store file', { ...way, prompts: first.prompts });
    expect([first.unasked(), await readdir(home())]).toEqual([[], expect.arrayContaining(['secrets.sealed'])]);
    const again = person([['Passphrase of', 'four unrelated words']]);
    const { exit } = await mailauth('token get', { ...way, prompts: again.prompts });
    expect([exit, again.unasked()]).toEqual([4, []]);
  });
});

describe('a damaged sealed file', () => {
  it('is exit 7 and untouched, whichever byte it is', async () => {
    const whole = await readFile(sealed);
    for (let at = 0; at < whole.length; at += 211) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x20;
      await writeFile(sealed, changed);
      const { exit, json } = await mailauth('token get --json');
      expect([exit, json().error?.code]).toEqual([7, 'sealed-file-damaged']);
      expect(await readFile(sealed)).toEqual(changed);
    }
  });

  const damage = async () => {
    const changed = await readFile(sealed);
    changed[100] = (changed[100] ?? 0) ^ 1;
    await writeFile(sealed, changed);
    return changed;
  };

  it('is restored from its copy, after asking, and kept beside it', async () => {
    const damaged = await damage();
    expect(await mailauth('store restore')).toMatchObject({ exit: 3, err: expect.stringContaining('--yes') });
    const no = person([['kept copy', false]]);
    expect((await mailauth('store restore', { terminal: true, prompts: no.prompts })).exit).toBe(1);
    expect(await readFile(sealed)).toEqual(damaged);
    const yes = person([['with 2 secrets', true]]);
    expect((await mailauth('store restore', { terminal: true, prompts: yes.prompts })).exit).toBe(0);
    expect((await mailauth('token get')).out).toBe(token);
    const aside = (await readdir(home())).find((name) => name.startsWith('secrets.sealed.damaged-')) ?? '';
    expect(await readFile(join(home(), aside))).toEqual(damaged);
    expect((await mailauth('store restore --yes --json')).json().data).toMatchObject({ restored: false });
  });

  it('comes back with --yes also when it is gone', async () => {
    await rm(sealed);
    expect((await mailauth('token get --json')).json().error?.code).toBe('sealed-file-damaged');
    expect((await mailauth('store restore --yes --json')).json().data).toMatchObject({ restored: true, secrets: 2 });
    expect((await mailauth('token get')).out).toBe(token);
  });

  it('a damaged copy is not put in its place', async () => {
    const damaged = await damage();
    await writeFile(`${sealed}.copy`, damaged);
    const both = (await mailauth('store restore --yes --json')).json().error;
    expect(both).toMatchObject({ exit: 7, code: 'sealed-copy-damaged', why: expect.stringContaining('secrets.sealed.copy') });
    expect(both?.next.join()).toMatch(/own backup.*mailauth login --force/);
    expect(both?.next.join()).not.toContain('store restore');
    await rm(`${sealed}.copy`);
    expect((await mailauth('store restore --yes --json')).json().error).toMatchObject({ exit: 1, code: 'sealed-copy-missing' });
    expect(await readFile(sealed)).toEqual(damaged);
  });
});

describe('store keygen', () => {
  it('makes 32 bytes, 0600, never over another file', async () => {
    const file = join(m.home, 'fresh', 'key');
    expect((await mailauth(`store keygen ${file} --json`)).json().data).toEqual({ file, bytes: 32 });
    const { size, mode } = await stat(file);
    expect([size, mode & 0o777]).toEqual([32, 0o600]);
    const before = await readFile(file);
    expect((await mailauth(`store keygen ${file} --json`)).json().error).toMatchObject({ exit: 1, code: 'key-file-exists' });
    expect(await readFile(file)).toEqual(before);
    expect((await mailauth('store keygen')).exit).toBe(2);
    const unexpanded = (await mailauth('store keygen ~/mailauth.key --json')).json().error;
    expect(unexpanded).toMatchObject({ exit: 2, code: 'value-invalid', why: expect.stringContaining('Nothing was put in place of ~') });
  });

  it.each([
    ['EACCES', 'Permission denied.'],
    ['ENOENT', 'The folder cannot be made.'],
    ['ENOSPC', 'The disk is full.'],
    ['EROFS', 'The file system is read-only.'],
  ])('%s: names the file, why, and another place', async (code, why) => {
    const create = async () => {
      throw Object.assign(new Error(code), { code });
    };
    const { error } = (await mailauth('store keygen /etc/mailauth/key --json', { files: { ...systemFiles, create } })).json();
    expect(error).toMatchObject({ exit: 1, code: 'key-file-not-made', why, title: expect.stringContaining('/etc/mailauth/key') });
    expect(error?.next).toEqual([
      expect.stringMatching(/^mailauth store keygen mailauth.key {3}#/),
      expect.stringMatching(/^sudo mailauth store keygen \/etc\/mailauth\/key {3}#/),
    ]);
  });
});

describe('store move', () => {
  /** Without those of a probe that was killed. */
  const names = (keychain: MemoryKeychain) =>
    [...keychain.entries.keys()]
      .map((name) => name.replace(/^.*?:/, ''))
      .filter((name) => !name.startsWith('probe/'))
      .sort();
  const all = ['client-secret/this-computer/helpdesk@contoso.example', 'token/this-computer/helpdesk@contoso.example'];

  it('takes everything to the keychain and back, and the old store is empty', async () => {
    const keychain = new MemoryKeychain(1280);
    const there = await mailauth('store move keychain --json', { keychain });
    expect(there.json().data).toMatchObject({
      store: 'keychain',
      secrets: 2,
      mailboxes: [{ for: 'this-computer', moved: true, secrets: 2 }],
    });
    expect(names(keychain).filter((name) => !name.includes('#'))).toEqual(all);
    expect((await record()).store).toBe('keychain');
    expect((await mailauth('token get', { keychain })).out).toBe(token);
    expect((await mailauth('token get --store file', { keychain })).exit).toBe(4);
    expect((await mailauth('store move keychain', { keychain })).out).toContain('already, so nothing was moved');
    expect((await mailauth('store move file', { keychain })).out).toContain('2 secrets moved to the sealed file');
    expect([...keychain.entries]).toEqual([]);
    expect((await mailauth('token get')).out).toBe(token);
    expect((await mailauth('token get --force-refresh')).exit).toBe(0);
  });

  it.each(['keychain', 'file'])(
    'to the %s, stopped after any change: both stores together always have all, and the next run finishes',
    async (to) => {
      for (let at = 1; ; at += 1) {
        for (const name of ['secrets.sealed', 'secrets.sealed.copy']) await copyFile(join(kept, name), join(home(), name));
        await copyFile(join(kept, 'record'), join(home(), 'mailboxes', 'helpdesk@contoso.example~this-computer.json'));
        const keychain = new MemoryKeychain();
        if (to === 'file') expect((await mailauth('store move keychain', { keychain })).exit).toBe(0);
        const { dying, finished } = killedAfter(at, keychain);
        const { exit } = await mailauth(`store move ${to}`, dying);
        expect((await mailauth('token get', { keychain })).out, `stopped after ${at} changes`).toBe(token);
        expect((await mailauth('token get --force-refresh', { keychain })).exit).toBe(0);
        const latest = (await mailauth('token get', { keychain })).out;
        const again = await mailauth(`store move ${to}`, { keychain });
        expect(again.exit, again.err).toBe(0);
        expect((await record()).store).toBe(to);
        expect((await mailauth('token get', { keychain })).out).toBe(latest);
        expect((await mailauth('secret show --reveal', { keychain })).exit).toBe(0);
        expect(names(keychain)).toEqual(to === 'keychain' ? all : []);
        expect(await readdir(home())).not.toContain('store-move.json');
        if (finished()) {
          expect(exit).toBe(0);
          break;
        }
      }
    },
  );

  it('deletes nothing when the new store does not give back what was written', async () => {
    const keychain = new MemoryKeychain();
    const forgetful: Keychain = Object.assign(Object.create(keychain), {
      getPassword: async (service: string, account: string) => {
        const value = await keychain.getPassword(service, account);
        return account.includes('client-secret') && value !== null ? `${value}?` : value;
      },
    });
    expect((await mailauth('store move keychain --json', { keychain: forgetful })).json().error).toMatchObject({
      exit: 7,
      code: 'store-move-differs',
    });
    expect((await mailauth('token get')).out).toBe(token);
    expect((await mailauth('secret show --reveal')).exit).toBe(0);
  });

  it('changes nothing when the new store cannot be used, or is none', async () => {
    const before = await readFile(sealed);
    for (const trouble of ['no-bus', 'no-provider'] as const) {
      const { error } = (await mailauth('store move keychain --json', { keychain: brokenKeychain(trouble) })).json();
      expect(error).toMatchObject({ exit: 7, code: `keychain-${trouble}`, next: [expect.any(String), expect.any(String)] });
      expect(error?.next.join()).not.toContain('MAILAUTH_STORE=file');
    }
    expect((await mailauth('store move cloud --json')).json().error).toMatchObject({ exit: 2, code: 'value-invalid' });
    expect(await readFile(sealed)).toEqual(before);
  });
});

/** A run that is killed after its nth change to a file or keychain entry: what it does afterwards does not happen. */
function killedAfter(limit: number, keychain: MemoryKeychain): { dying: How; finished: () => boolean } {
  let changes = 0;
  const count = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      changes += 1;
      if (changes > limit) throw new Error('killed');
      return act(...args);
    };
  };
  const files: Files = { ...systemFiles, writeAtomic: count(systemFiles.writeAtomic), remove: count(systemFiles.remove) };
  const doomed: Keychain = {
    limit: keychain.limit,
    label: keychain.label,
    close: () => undefined,
    getPassword: (service, account) => keychain.getPassword(service, account),
    setPassword: count((service: string, account: string, value: string) => keychain.setPassword(service, account, value)),
    deletePassword: count((service: string, account: string) => keychain.deletePassword(service, account)),
  };
  return { dying: { files, keychain: doomed }, finished: () => changes <= limit };
}

import { execFileSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GuardedFile } from '../../../src/core/context.ts';
import { keySource, refuseExposed } from '../../../src/store/key-source.ts';
import type { KeyDerivation } from '../../../src/store/sealed-file.ts';
import { person } from '../../support/command-line.ts';
import { temporaryFolder, testContext } from '../../support/context.ts';

let folder = '';
let clean: () => Promise<void>;
beforeEach(async () => {
  const made = await temporaryFolder();
  folder = made.path;
  clean = made.remove;
});
afterEach(() => clean());

/** Cheap: what is tested is where the words come from. */
const derivation: KeyDerivation = { kind: 'scrypt', log2n: 4, r: 1, p: 1, salt: Buffer.alloc(32) };
const put = async (name: string, content: string | Uint8Array, mode = 0o600) => {
  await writeFile(join(folder, name), content);
  await chmod(join(folder, name), mode);
  return join(folder, name);
};
const masterOf = (env: Record<string, string>) =>
  keySource({ ctx: testContext({ env }), canAsk: false }).master(derivation, '/sealed', false);

describe('the key of a sealed file', () => {
  it('is the key file as it is', async () => {
    const key = Buffer.alloc(32, 7);
    const MAILAUTH_KEY_FILE = await put('key', key);
    const source = keySource({ ctx: testContext({ env: { MAILAUTH_KEY_FILE, MAILAUTH_PASSPHRASE: 'not asked' } }), canAsk: false });
    expect(source.kind).toBe('key-file');
    expect(await source.master(derivation, '/sealed', false)).toEqual(key);
  });

  it('a pipe in its place is refused at once instead of waited for', async () => {
    const MAILAUTH_KEY_FILE = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', MAILAUTH_KEY_FILE]);
    await expect(masterOf({ MAILAUTH_KEY_FILE })).rejects.toMatchObject({ code: 'key-file-unusable', exit: 7 });
  });

  it.each([0, 31, 33, 44])('a key file of %i bytes is none', async (length) => {
    const MAILAUTH_KEY_FILE = await put('key', Buffer.alloc(length));
    await expect(masterOf({ MAILAUTH_KEY_FILE })).rejects.toMatchObject({ code: 'key-file-unusable', exit: 7 });
  });

  it('comes from the file of the passphrase before the variable, line breaks at the end left out', async () => {
    const MAILAUTH_PASSPHRASE_FILE = await put('words', 'some words\r\n');
    const same = await masterOf({ MAILAUTH_PASSPHRASE: 'some words' });
    expect(await masterOf({ MAILAUTH_PASSPHRASE_FILE, MAILAUTH_PASSPHRASE: 'other words' })).toEqual(same);
    expect(await masterOf({ MAILAUTH_PASSPHRASE: 'other words' })).not.toEqual(same);
  });

  it('never falls back from a source that was named', async () => {
    const none = join(folder, 'none');
    const MAILAUTH_PASSPHRASE = 'some words';
    await expect(masterOf({ MAILAUTH_KEY_FILE: none, MAILAUTH_PASSPHRASE })).rejects.toMatchObject({ code: 'key-file-unusable' });
    await expect(masterOf({ MAILAUTH_PASSPHRASE_FILE: none, MAILAUTH_PASSPHRASE })).rejects.toMatchObject({
      code: 'passphrase-file-unusable',
    });
    const empty = await put('empty', '\n');
    await expect(masterOf({ MAILAUTH_PASSPHRASE_FILE: empty })).rejects.toMatchObject({ code: 'passphrase-file-unusable', exit: 7 });
  });

  it('is as long as a prompt wants it where the file is new; an existing one opens with whatever it has', async () => {
    const short = { MAILAUTH_PASSPHRASE_FILE: await put('words', 'some words\n') };
    for (const [env, from] of [
      [short, join(folder, 'words')],
      [{ MAILAUTH_PASSPHRASE: 'some words' }, 'MAILAUTH_PASSPHRASE'],
    ] as const) {
      const source = keySource({ ctx: testContext({ env }), canAsk: false });
      await expect(source.master(derivation, '/sealed', true)).rejects.toMatchObject({
        code: 'passphrase-short',
        exit: 7,
        title: expect.stringContaining(from),
      });
      expect(await masterOf(env)).toHaveLength(32);
    }
    const long = keySource({ ctx: testContext({ env: { MAILAUTH_PASSPHRASE: 'some words..' } }), canAsk: false });
    expect(await long.master(derivation, '/sealed', true)).toHaveLength(32);
  });

  it('is asked for once, and twice over for a new file', async () => {
    const old = person([['Passphrase of /sealed?', 'some words']]);
    const source = keySource({ ctx: testContext({ prompts: old.prompts }), canAsk: true });
    const same = await masterOf({ MAILAUTH_PASSPHRASE: 'some words' });
    expect(await source.master(derivation, '/sealed', false)).toEqual(same);
    expect(await source.master({ ...derivation, salt: Buffer.alloc(32, 1) }, '/sealed', false)).not.toEqual(same);
    expect(old.asked).toEqual(['Passphrase of /sealed?']);
    const first = person([
      ['New passphrase', 'short'],
      ['New passphrase', 'long enough words'],
      ['again?', 'long enough word'],
      ['again?', 'long enough words'],
    ]);
    await keySource({ ctx: testContext({ prompts: first.prompts }), canAsk: true }).master(derivation, '/sealed', true);
    expect(first.unasked()).toEqual([]);
    expect(first.asked.filter((line) => line.startsWith('complaint'))).toHaveLength(2);
  });

  it('is asked of nobody who is not there: exit 3, and the variable is named', async () => {
    await expect(masterOf({})).rejects.toMatchObject({
      code: 'passphrase-needed',
      exit: 3,
      next: [expect.stringContaining('MAILAUTH_PASSPHRASE_FILE'), expect.objectContaining({ kind: 'line' })],
    });
  });

  it('is not taken from a file that others can read', async () => {
    await expect(masterOf({ MAILAUTH_KEY_FILE: await put('key', Buffer.alloc(32), 0o644) })).rejects.toMatchObject({
      code: 'file-exposed',
      exit: 7,
    });
    await expect(masterOf({ MAILAUTH_PASSPHRASE_FILE: await put('words', 'w', 0o640) })).rejects.toMatchObject({ code: 'file-exposed' });
  });

  it('is taken as systemd hands it over', async () => {
    await mkdir(join(folder, 'credentials'));
    const MAILAUTH_KEY_FILE = await put('credentials/key', Buffer.alloc(32), 0o440);
    expect(await masterOf({ MAILAUTH_KEY_FILE, CREDENTIALS_DIRECTORY: join(folder, 'credentials') })).toHaveLength(32);
    await expect(masterOf({ MAILAUTH_KEY_FILE, CREDENTIALS_DIRECTORY: join(folder, 'cred') })).rejects.toMatchObject({
      code: 'file-exposed',
    });
  });
});

describe('who may read a key file', () => {
  const file = (mode: number, owner: GuardedFile['owner'] = 'self'): GuardedFile => ({ bytes: Buffer.alloc(32), mode, owner });
  const check = (path: string, one: GuardedFile, platform: NodeJS.Platform = 'linux') => {
    try {
      refuseExposed(one, path, { env: { CREDENTIALS_DIRECTORY: '/run/credentials/mail.service' }, platform });
      return 'ok';
    } catch (error) {
      return error instanceof Error && 'code' in error ? error.code : error;
    }
  };

  it.each([
    ['/etc/mailauth/key', file(0o600), 'ok'],
    ['/etc/mailauth/key', file(0o400), 'ok'],
    ['/etc/mailauth/key', file(0o440, 'root'), 'file-exposed'],
    ['/etc/mailauth/key', file(0o600, 'other'), 'file-foreign'],
    ['/run/secrets/key', file(0o444, 'root'), 'ok'],
    ['/run/secrets/key', file(0o446, 'root'), 'file-exposed'],
    ['/run/secrets/key', file(0o444, 'other'), 'file-foreign'],
    ['/run/secrets/../key', file(0o444, 'root'), 'file-exposed'],
    ['/run/secrets-of-others/key', file(0o444, 'root'), 'file-exposed'],
    ['/run/credentials/mail.service/key', file(0o440, 'root'), 'ok'],
    ['/run/credentials/mail.service/key', file(0o444, 'root'), 'file-exposed'],
    ['/run/credentials/other.service/key', file(0o440, 'root'), 'file-exposed'],
  ])('%s %o: %s', (path, one, verdict) => {
    expect(check(path, one)).toBe(verdict);
  });

  it('Windows has no bits to look at', () => {
    expect(check('C:\\key', file(0o666), 'win32')).toBe('ok');
  });
});

import { scryptSync } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Context } from '../../../src/core/context.ts';
import { Secret } from '../../../src/core/secret.ts';
import { fileStore, sealedCopy, sealedFile } from '../../../src/store/file-store.ts';
import { keyLength, keySource } from '../../../src/store/key-source.ts';
import { encodeEntries, nonceLength, readHeader, saltLength, seal } from '../../../src/store/sealed-file.ts';
import { systemRandom } from '../../../src/system/clock-and-random.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { temporaryFolder, testContext } from '../../support/context.ts';

let home = '';
let clean: () => Promise<void>;
let keyFile = '';
beforeEach(async () => {
  const made = await temporaryFolder();
  home = join(made.path, 'home');
  clean = made.remove;
  keyFile = join(made.path, 'key');
  await systemFiles.create(keyFile, systemRandom.bytes(32));
});
afterEach(() => clean());

function open(more: Partial<Context> = {}) {
  const ctx = testContext({ env: { MAILAUTH_KEY_FILE: keyFile }, ...more });
  return fileStore({ ctx, home, key: keySource({ ctx, canAsk: false }) });
}
const withPassphrase = (MAILAUTH_PASSPHRASE: string) => open({ env: { MAILAUTH_PASSPHRASE } });
const value = (store: ReturnType<typeof open>, entry: string) => store.read(entry).then((secret) => secret?.reveal());
const bytes = () => readFile(sealedFile(home));

describe('the file store', () => {
  it('keeps secrets in one 0600 file, with a copy and nothing else beside it', async () => {
    await open().probe();
    expect(await value(open(), 'token/x')).toBeUndefined();
    await open().write('token/x', new Secret('one'));
    await open().write('token/y', new Secret('two'));
    expect(await value(open(), 'token/x')).toBe('one');
    expect((await readdir(home)).sort()).toEqual(['secrets.sealed', 'secrets.sealed.copy']);
    for (const file of [sealedFile(home), sealedCopy(home)]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await open().remove('token/x')).toBe(true);
    expect(await open().remove('token/x')).toBe(false);
    expect(await value(open(), 'token/y')).toBe('two');
  });

  it('seals anew with each write, and a removed secret is not in the copy', async () => {
    await open().write('token/x', new Secret('one'));
    const first = await bytes();
    await open().write('token/x', new Secret('one'));
    expect((await bytes()).subarray(64, 76).equals(first.subarray(64, 76))).toBe(false);
    await open().remove('token/x');
    expect(await readFile(sealedCopy(home))).toEqual(await bytes());
  });

  it('reading takes no lock and writes nothing', async () => {
    await open().write('token/x', new Secret('one'));
    const refuse = async () => {
      throw new Error('reading must not write');
    };
    const files = { ...systemFiles, writeAtomic: refuse, create: refuse, remove: refuse, lock: refuse };
    expect(await value(open({ files }), 'token/x')).toBe('one');
    expect(await value(open({ files }), 'token/none')).toBeUndefined();
    expect(await open({ files }).remove('token/none')).toBe(false);
  });

  it('loses nothing when twenty write at once', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `token/${i}`);
    await Promise.all(names.map((name) => open().write(name, new Secret(name))));
    expect(await Promise.all(names.map((name) => value(open(), name)))).toEqual(names);
    expect((await readdir(home)).sort()).toEqual(['secrets.sealed', 'secrets.sealed.copy']);
  });

  it('who was suspended until the lock looked dead begins again from what is there now', async () => {
    await open().write('token/a', new Secret('old'));
    let reads = 0;
    const files = {
      ...systemFiles,
      // As if the lock had been taken over: nobody is kept out.
      lock: async () => async () => undefined,
      async readGuarded(path: string) {
        // The second read is the one under the lock; after it the lid is closed, and another process writes.
        const file = await systemFiles.readGuarded(path);
        if (path === sealedFile(home)) reads += 1;
        if (reads === 2) await open().write('token/b', new Secret('theirs'));
        return file;
      },
    };
    await open({ files }).write('token/a', new Secret('new'));
    expect([await value(open(), 'token/a'), await value(open(), 'token/b')]).toEqual(['new', 'theirs']);
  });

  it('a full disk loses nothing, wherever it strikes', async () => {
    await open().write('token/x', new Secret('one'));
    for (const which of [sealedFile(home), sealedCopy(home)]) {
      const files = {
        ...systemFiles,
        writeAtomic: async (path: string, content: string | Uint8Array) => {
          if (path === which) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
          await systemFiles.writeAtomic(path, content);
        },
      };
      await expect(open({ files }).write('token/x', new Secret('two'))).rejects.toMatchObject({ code: 'home-not-writable', exit: 1 });
      expect(await value(open(), 'token/x')).toBe('one');
    }
  });

  it('cleans up after a writer that was killed', async () => {
    await open().write('token/x', new Secret('one'));
    await writeFile(`${sealedFile(home)}.0123456789ab.tmp`, 'half');
    await writeFile(`${sealedCopy(home)}.0123456789ab.tmp`, 'half');
    expect(await value(open(), 'token/x')).toBe('one');
    await open().write('token/x', new Secret('two'));
    expect((await readdir(home)).sort()).toEqual(['secrets.sealed', 'secrets.sealed.copy']);
  });
});

describe('what it refuses with exit 7, and leaves as it is', () => {
  const refused = async (store: ReturnType<typeof open>, code: string) => {
    const before = await bytes();
    await expect(store.read('token/x')).rejects.toMatchObject({ code, exit: 7 });
    await expect(store.write('token/x', new Secret('v'))).rejects.toMatchObject({ code, exit: 7 });
    await expect(store.remove('token/x')).rejects.toMatchObject({ code, exit: 7 });
    expect(await bytes()).toEqual(before);
  };
  beforeEach(() => open().write('token/x', new Secret('one')));

  it('a file that is damaged', async () => {
    const whole = await bytes();
    for (const at of [0, 8, 20, 50, 70, 78, 85, 90, whole.length - 1]) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(sealedFile(home), changed);
      await refused(open(), 'sealed-file-damaged');
    }
    for (const length of [0, 1, 87, 104, whole.length - 1]) {
      await writeFile(sealedFile(home), whole.subarray(0, length));
      await refused(open(), 'sealed-file-damaged');
    }
  });

  it('a file that is gone while its copy is there', async () => {
    await rm(sealedFile(home));
    await expect(open().read('token/x')).rejects.toMatchObject({ code: 'sealed-file-damaged' });
    await expect(open().write('token/x', new Secret('v'))).rejects.toMatchObject({ code: 'sealed-file-damaged' });
    expect(await readdir(home)).toEqual(['secrets.sealed.copy']);
  });

  it('another key file', async () => {
    await writeFile(keyFile, systemRandom.bytes(32));
    await refused(open(), 'sealed-key-wrong');
  });

  it('a passphrase where a key file belongs', () => refused(withPassphrase('some words'), 'sealed-key-kind'));

  it.each([0o640, 0o604, 0o620, 0o666])('a file that others can use (%o)', async (mode) => {
    await chmod(sealedFile(home), mode);
    await refused(open(), 'file-exposed');
  });
});

describe('with a passphrase', () => {
  // 2^14, the least that is read: what a new file costs on purpose would cost these tests seconds.
  const sealedWith = async (passphrase: string, entries: Map<string, string>) => {
    const derivation = { kind: 'scrypt' as const, log2n: 14, r: 8, p: 1, salt: systemRandom.bytes(saltLength) };
    const master = scryptSync(passphrase, derivation.salt, keyLength, { N: 2 ** 14, r: 8, p: 1 });
    await systemFiles.writeAtomic(sealedFile(home), seal(encodeEntries(entries), master, derivation, systemRandom.bytes(nonceLength)));
  };

  it('opens with the same words, also composed differently, and with no others', async () => {
    await sealedWith('Zauberfl\u00f6te, bitte', new Map([['token/x', 'one']]));
    expect(await value(withPassphrase('Zauberfl\u00f6te, bitte'), 'token/x')).toBe('one');
    expect(await value(withPassphrase('Zauberflo\u0308te, bitte'), 'token/x')).toBe('one');
    await expect(withPassphrase('Zauberflote, bitte').read('token/x')).rejects.toMatchObject({ code: 'sealed-key-wrong', exit: 7 });
    await expect(open().read('token/x')).rejects.toMatchObject({ code: 'sealed-key-kind', exit: 7 });
    await expect(open({ env: {} }).read('token/x')).rejects.toMatchObject({ code: 'passphrase-needed', exit: 3 });
  });

  it('a new file is stretched with 128 MiB of scrypt, and the same command reads it again', async () => {
    const store = withPassphrase('Zauberfl\u00f6te, bitte');
    await store.write('token/x', new Secret('one'));
    expect(readHeader(await bytes()).derivation).toMatchObject({ kind: 'scrypt', log2n: 17, r: 8, p: 1 });
    expect(await value(store, 'token/x')).toBe('one');
  });
});

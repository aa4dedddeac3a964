import { chmod, chown, lchown, lstat, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileInUse } from '../../../../src/core/errors.ts';
import { createFile, inSpiteOfReaders, writeAtomic } from '../../../../src/system/disk/atomic-write.ts';
import { lock } from '../../../../src/system/disk/lock.ts';
import { temporaryFolder } from '../../../support/context.ts';

let folder = '';
let clean: () => Promise<void>;
beforeEach(async () => {
  const made = await temporaryFolder();
  folder = made.path;
  clean = made.remove;
});
afterEach(() => clean());

const mode = async (path: string) => (await stat(path)).mode & 0o777;

it('writes a whole file, 0600 in folders of 0700, and leaves nothing beside it', async () => {
  const file = join(folder, 'a', 'b', 'file');
  await writeAtomic(file, 'ä');
  await writeAtomic(file, Buffer.of(0, 255));
  expect(await readFile(file)).toEqual(Buffer.of(0, 255));
  expect([await mode(file), await mode(join(folder, 'a')), await readdir(join(folder, 'a', 'b'))]).toEqual([0o600, 0o700, ['file']]);
});

it.runIf(process.platform === 'linux')('says so at once where Linux lets nobody make a folder', async () => {
  for (const file of ['/proc/mailauth/a/file', '/proc/sys/mailauth/file'])
    await expect(writeAtomic(file, 'x')).rejects.toMatchObject({ code: expect.stringMatching(/^(?:ENOENT|EACCES|EPERM|EROFS)$/) });
});

it('a file or a link that leads nowhere is no folder', async () => {
  await writeFile(join(folder, 'file'), '');
  await symlink(join(folder, 'nowhere'), join(folder, 'link'));
  await expect(writeAtomic(join(folder, 'file', 'a', 'b'), 'x')).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(writeAtomic(join(folder, 'link', 'a'), 'x')).rejects.toMatchObject({ code: 'EEXIST' });
});

it('closes a file that was open to others', async () => {
  const file = join(folder, 'file');
  await writeFile(file, 'old');
  await chmod(file, 0o644);
  await writeAtomic(file, 'new');
  expect(await mode(file)).toBe(0o600);
});

it('writes through a link and leaves the link', async () => {
  await writeFile(join(folder, 'real'), 'old');
  await symlink(join(folder, 'real'), join(folder, 'link'));
  await writeAtomic(join(folder, 'link'), 'new');
  expect(await readFile(join(folder, 'real'), 'utf8')).toBe('new');
});

it.runIf(process.getuid?.() === 0)(
  'does not follow a link that somebody else laid into a folder for all, nor gives him the file',
  async () => {
    const nobody = 65_534;
    const [shared, victim] = [join(folder, 'shared'), join(folder, 'victim')];
    await mkdir(shared);
    await chmod(shared, 0o1777);
    await writeFile(victim, 'untouched');
    await symlink(victim, join(shared, 'report'));
    await lchown(join(shared, 'report'), nobody, nobody);
    await writeAtomic(join(shared, 'report'), 'new');
    expect(await readFile(victim, 'utf8')).toBe('untouched');
    expect(await readFile(join(shared, 'report'), 'utf8')).toBe('new');
    const { uid } = await lstat(join(shared, 'report'));
    expect(uid).toBe(0);
  },
);

describe.runIf(process.getuid?.() === 0)('root in a folder of another user', () => {
  const nobody = 65_534;
  let home = '';
  beforeEach(async () => {
    home = join(folder, 'home');
    await mkdir(home, { mode: 0o700 });
    await chown(home, nobody, nobody);
    await writeFile(join(folder, 'of-root'), 'untouched');
  });
  const owner = async (...names: string[]) => (await lstat(join(home, ...names))).uid;

  it('gives that user what it makes', async () => {
    await writeAtomic(join(home, 'a', 'b', 'file'), 'new');
    expect(await createFile(join(home, 'made'), Buffer.of(1))).toBe(true);
    expect([await owner('a'), await owner('a', 'b'), await owner('a', 'b', 'file'), await owner('made')]).toEqual(Array(4).fill(nobody));
  });

  it('replaces a link of that user and never the file of root behind it', async () => {
    await symlink(join(folder, 'of-root'), join(home, 'secrets.sealed.copy'));
    await lchown(join(home, 'secrets.sealed.copy'), nobody, nobody);
    await writeAtomic(join(home, 'secrets.sealed.copy'), 'new');
    expect(await readFile(join(folder, 'of-root'), 'utf8')).toBe('untouched');
    expect([await readFile(join(home, 'secrets.sealed.copy'), 'utf8'), await owner('secrets.sealed.copy')]).toEqual(['new', nobody]);
  });

  it('writes nothing where that user has laid a link to a folder of root', async () => {
    await mkdir(join(folder, 'etc'));
    await symlink(join(folder, 'etc'), join(home, 'mailboxes'));
    await lchown(join(home, 'mailboxes'), nobody, nobody);
    await expect(writeAtomic(join(home, 'mailboxes', 'file'), 'new')).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(createFile(join(home, 'mailboxes', 'file'), Buffer.of(1))).rejects.toMatchObject({ code: 'ELOOP' });
    await expect(lock(join(home, 'mailboxes', 'lock'), 0)).rejects.toMatchObject({ code: 'ELOOP' });
    expect(await readdir(join(folder, 'etc'))).toEqual([]);
  });

  it('follows a link of that user to a file of that user', async () => {
    await writeFile(join(home, 'real'), 'old');
    await chown(join(home, 'real'), nobody, nobody);
    await symlink(join(home, 'real'), join(home, 'link'));
    await lchown(join(home, 'link'), nobody, nobody);
    await writeAtomic(join(home, 'link'), 'new');
    expect([await readFile(join(home, 'real'), 'utf8'), await owner('real')]).toEqual(['new', nobody]);
  });
});

it('tries again on Windows while somebody reads the old file, and nowhere else', async () => {
  let refusals = 3;
  const act = async () => {
    if (refusals-- > 0) throw Object.assign(new Error('in use'), { code: 'EPERM' });
  };
  await inSpiteOfReaders(act, 'C:\\file', { platform: 'win32' });
  expect(refusals).toBe(-1);
  refusals = 1;
  await expect(inSpiteOfReaders(act, 'C:\\file', { platform: 'linux' })).rejects.toMatchObject({ code: 'EPERM' });
  const gone = async () => {
    throw Object.assign(new Error('gone'), { code: 'ENOENT' });
  };
  await expect(inSpiteOfReaders(gone, 'C:\\file', { platform: 'win32' })).rejects.toMatchObject({ code: 'ENOENT' });
  const held = async () => {
    throw Object.assign(new Error('in use'), { code: 'EBUSY' });
  };
  await expect(inSpiteOfReaders(held, 'C:\\file', { platform: 'win32', mostTries: 2 })).rejects.toEqual(
    new FileInUse('C:\\file', expect.anything()),
  );
});

it('leaves nothing behind when it fails', async () => {
  await mkdir(join(folder, 'file', 'in the way'), { recursive: true });
  await expect(writeAtomic(join(folder, 'file'), 'new')).rejects.toThrow();
  expect(await readdir(folder)).toEqual(['file']);
});

it('two at once leave one of the two', async () => {
  const texts = ['x'.repeat(100_000), 'y'.repeat(100_000)];
  await Promise.all(texts.map((text) => writeAtomic(join(folder, 'file'), text)));
  expect(texts).toContain(await readFile(join(folder, 'file'), 'utf8'));
  expect(await readdir(folder)).toEqual(['file']);
});

it('makes a new file and never writes over one', async () => {
  const file = join(folder, 'key');
  expect(await createFile(file, Buffer.of(1))).toBe(true);
  expect(await createFile(file, Buffer.of(2))).toBe(false);
  expect([await readFile(file), await mode(file)]).toEqual([Buffer.of(1), 0o600]);
  await rm(file);
});

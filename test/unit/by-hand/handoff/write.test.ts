import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { handoffFolder, writeHandoff } from '../../../../src/by-hand/handoff/write-handoff.ts';
import type { Files } from '../../../../src/core/context.ts';
import { systemFiles } from '../../../../src/system/disk/files.ts';

let home: string;
let folder: string;
let writes: string[];
let files: Files;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'mailauth-handoff-'));
  folder = handoffFolder(home, { mailbox: 'helpdesk@contoso.com', for: 'osticket' });
  writes = [];
  files = {
    ...systemFiles,
    writeAtomic: async (path, text) => {
      writes.push(path);
      await systemFiles.writeAtomic(path, text);
    },
  };
});
afterEach(() => rm(home, { recursive: true, force: true }));

const one = [
  { name: 'README.md', text: 'first\n' },
  { name: '2-x.sh', text: 'echo 1\n' },
];
const two = [
  { name: 'README.md', text: 'second\n' },
  { name: '2-x.sh', text: 'echo 1\n' },
];
const text = (name: string) => readFile(join(folder, name), 'utf8');

it('writes the folder 0700 and its files 0600; a second time nothing', async () => {
  expect(await writeHandoff({ files }, folder, one)).toBe(folder);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect(await text('README.md')).toBe('first\n');
  writes.length = 0;
  await writeHandoff({ files }, folder, one);
  expect(writes).toEqual([]);
});

it('replaces what it wrote itself', async () => {
  await writeHandoff({ files }, folder, one);
  await writeHandoff({ files }, folder, two);
  expect(await text('README.md')).toBe('second\n');
});

it('keeps a file that somebody edited, says so, and writes nothing at all', async () => {
  await writeHandoff({ files }, folder, one);
  await writeFile(join(folder, '2-x.sh'), 'echo mine\n');
  writes.length = 0;
  const changed = [...two.slice(0, 1), { name: '2-x.sh', text: 'echo 2\n' }];
  await expect(writeHandoff({ files }, folder, changed)).rejects.toMatchObject({
    code: 'handoff-file-kept',
    exit: 1,
    title: expect.stringContaining('2-x.sh'),
  });
  expect(writes).toEqual([]);
  expect(await text('2-x.sh')).toBe('echo mine\n');
});

it('keeps a file of the same name in a folder that it never wrote to', async () => {
  await writeFile(join(home, 'README.md'), 'theirs\n');
  await expect(writeHandoff({ files }, home, one)).rejects.toMatchObject({ code: 'handoff-file-kept' });
  expect(await readFile(join(home, 'README.md'), 'utf8')).toBe('theirs\n');
});

it.each([1, 2])('goes on after a run that stopped before write %i, also with other content', async (at) => {
  await writeHandoff({ files }, folder, one);
  let count = 0;
  const dying: Files = {
    ...systemFiles,
    writeAtomic: async (path, content) => {
      if (count === at) throw new Error('killed');
      count += 1;
      await systemFiles.writeAtomic(path, content);
    },
  };
  const third = one.map(({ name }) => ({ name, text: `third ${name}\n` }));
  await expect(writeHandoff({ files: dying }, folder, third)).rejects.toThrow('killed');
  await writeHandoff({ files }, folder, two);
  expect(await text('README.md')).toBe('second\n');
});

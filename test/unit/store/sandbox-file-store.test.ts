import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Secret } from '../../../src/core/secret.ts';
import { sandboxFileStore } from '../../../src/store/sandbox-file-store.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { temporaryFolder } from '../../support/context.ts';

let folder = '';
let clean: () => Promise<void>;
beforeEach(async () => {
  const made = await temporaryFolder();
  folder = made.path;
  clean = made.remove;
});
afterEach(() => clean());

const path = () => join(folder, 'sandbox', 'secrets.json');
const open = () => sandboxFileStore({ files: systemFiles, path: path() });

it('keeps secrets in one 0600 file and nothing beside it', async () => {
  await open().probe();
  expect(await open().read('token/x')).toBeUndefined();
  await open().write('token/x', new Secret('value'));
  await open().write('__proto__', new Secret('odd'));
  expect((await open().read('token/x'))?.reveal()).toBe('value');
  expect(await open().remove('token/x')).toBe(true);
  expect(await open().remove('token/x')).toBe(false);
  expect((await stat(path())).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'sandbox'))).toEqual(['secrets.json']);
});

it('loses nothing when several write at once', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  await Promise.all(names.map((name) => open().write(name, new Secret(name))));
  expect(await Promise.all(names.map(async (name) => (await open().read(name))?.reveal()))).toEqual(names);
});

it('reading makes nothing', async () => {
  expect(await open().read('x')).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
});

it('leaves a damaged file alone: exit 7', async () => {
  await open().probe();
  await writeFile(path(), '{"version":1');
  await expect(open().read('x')).rejects.toMatchObject({ code: 'store-damaged', exit: 7 });
  await expect(open().write('x', new Secret('v'))).rejects.toMatchObject({ code: 'store-damaged' });
  expect(await readFile(path(), 'utf8')).toBe('{"version":1');
});

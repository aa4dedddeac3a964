import { chmod, chown, lchown, link, lstat, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendLine } from '../../../../src/system/disk/debug-log.ts';
import { temporaryFolder } from '../../../support/context.ts';

let folder = '';
let log = '';
let clean: () => Promise<void>;
beforeEach(async () => {
  const made = await temporaryFolder();
  folder = made.path;
  log = join(folder, 'home', 'debug.log');
  clean = made.remove;
});
afterEach(() => clean());

it('adds lines to a file of 0600 in a folder of 0700', async () => {
  appendLine(log, 'one\n');
  appendLine(log, 'two\n');
  expect(await readFile(log, 'utf8')).toBe('one\ntwo\n');
  expect([(await lstat(log)).mode & 0o777, (await lstat(join(folder, 'home'))).mode & 0o777]).toEqual([0o600, 0o700]);
});

it('closes a log that was open to others', async () => {
  await mkdir(join(folder, 'home'));
  await writeFile(log, 'old\n');
  await chmod(log, 0o666);
  appendLine(log, 'new\n');
  expect([(await lstat(log)).mode & 0o777, await readFile(log, 'utf8')]).toEqual([0o600, 'old\nnew\n']);
});

it('follows no link, not even one of its own, and writes to no file that has a second name', async () => {
  await mkdir(join(folder, 'home'));
  await writeFile(join(folder, 'precious'), 'untouched');
  await symlink(join(folder, 'precious'), log);
  expect(() => appendLine(log, 'line\n')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
  await link(join(folder, 'precious'), `${log}.hard`);
  expect(() => appendLine(`${log}.hard`, 'line\n')).toThrow('not a log of mailauth');
  expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('untouched');
});

describe.runIf(process.getuid?.() === 0)('root', () => {
  const nobody = 65_534;

  it('writes to no log that another user made in a folder for all', async () => {
    await mkdir(join(folder, 'home'), { mode: 0o700 });
    await chmod(join(folder, 'home'), 0o1777);
    await writeFile(log, '');
    await chown(log, nobody, nobody);
    expect(() => appendLine(log, 'line\n')).toThrow('not a log of mailauth');
    expect(await readFile(log, 'utf8')).toBe('');
  });

  it('gives the log to the service in whose home it works, and follows no link of it', async () => {
    await mkdir(join(folder, 'home'), { mode: 0o700 });
    await chown(join(folder, 'home'), nobody, nobody);
    appendLine(log, 'line\n');
    appendLine(log, 'line\n');
    expect((await lstat(log)).uid).toBe(nobody);
    await symlink('/etc/passwd', `${log}.link`);
    await lchown(`${log}.link`, nobody, nobody);
    expect(() => appendLine(`${log}.link`, 'line\n')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
  });
});

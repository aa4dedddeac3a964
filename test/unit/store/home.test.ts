import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureHomeId, readHomeId, resolveHome } from '../../../src/store/home.ts';
import { systemRandom } from '../../../src/system/clock-and-random.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';
import { temporaryFolder } from '../../support/context.ts';

let home = '';
let clean: () => Promise<void>;
beforeEach(async () => {
  const folder = await temporaryFolder();
  home = folder.path;
  clean = folder.remove;
});
afterEach(() => clean());

describe('resolveHome', () => {
  const linux = (env: Record<string, string>) => resolveHome({ env, platform: 'linux' });
  const listed = join(userInfo().homedir, '.config', 'mailauth');

  it('takes MAILAUTH_HOME, made absolute', () => {
    expect(linux({ MAILAUTH_HOME: '/srv/mailauth', HOME: '/home/ada' })).toBe('/srv/mailauth');
    expect(linux({ MAILAUTH_HOME: 'here' })).toBe(resolve('here'));
  });

  it('is the folder mailauth in the config folder of the platform', () => {
    const HOME = '/home/ada';
    expect(linux({ HOME, MAILAUTH_HOME: '' })).toBe('/home/ada/.config/mailauth');
    expect(linux({ HOME, XDG_CONFIG_HOME: '/srv/config' })).toBe('/srv/config/mailauth');
    expect(linux({ HOME, XDG_CONFIG_HOME: 'config' })).toBe('/home/ada/.config/mailauth');
    expect(resolveHome({ env: { HOME }, platform: 'darwin' })).toBe('/home/ada/Library/Preferences/mailauth');
    expect(resolveHome({ env: { APPDATA: '/appdata' }, platform: 'win32' })).toBe('/appdata/mailauth/Config');
    expect(linux({ HOME: '/' })).toBe('/.config/mailauth');
  });

  it.each([{}, { HOME: '' }, { HOME: 'here' }])('%j is no home folder, so the list of users says which it is', (env) => {
    expect(linux(env)).toBe(listed);
  });
});

describe('the id of a home', () => {
  it('is undefined before the first use, and reading makes nothing', async () => {
    expect(await readHomeId(systemFiles, join(home, 'none'))).toBeUndefined();
    expect(await readdir(home)).toEqual([]);
  });

  it('is made once, also by several at once', async () => {
    const ids = await Promise.all([1, 2, 3, 4].map(() => ensureHomeId(systemFiles, systemRandom, home)));
    expect(new Set(ids).size).toBe(1);
    expect(await readHomeId(systemFiles, home)).toBe(ids[0]);
    expect(await readdir(home)).toEqual(['home.json']);
  });

  it.each(['', '{"id":', '{"id":"../x"}', '[]'])('is not replaced when the file is broken: %s', async (text) => {
    await writeFile(join(home, 'home.json'), text);
    await expect(ensureHomeId(systemFiles, systemRandom, home)).rejects.toMatchObject({ code: 'home-file-broken', exit: 1 });
    expect(await readFile(join(home, 'home.json'), 'utf8')).toBe(text);
  });

  it('says so where it cannot be written or read', async () => {
    await writeFile(join(home, 'file'), '');
    await expect(ensureHomeId(systemFiles, systemRandom, join(home, 'file'))).rejects.toMatchObject({ code: 'home-not-writable', exit: 1 });
    await mkdir(join(home, 'home.json'));
    await expect(readHomeId(systemFiles, home)).rejects.toMatchObject({ code: 'home-file-broken' });
  });
});

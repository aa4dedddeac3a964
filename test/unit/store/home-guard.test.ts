import { describe, expect, it } from 'vitest';
import type { Held } from '../../../src/core/context.ts';
import { refuseExposedHome } from '../../../src/store/home-guard.ts';
import { systemFiles } from '../../../src/system/disk/files.ts';

const [me, other, home] = [1000, 1001, '/srv/mailauth'];
const file = `${home}/mailboxes/a@b.example~custom.json`;
const own = (mode = 0o700): Held => ({ mode, uid: me });
const good: Readonly<Record<string, Held>> = { [home]: own(), [`${home}/mailboxes`]: own(), [file]: own(0o600) };

/** `exposed`: the paths that the two commands name; empty where nothing is exposed. */
async function exposed(uid: number | undefined, disk: Readonly<Record<string, Held>>): Promise<string> {
  const ctx = { uid, files: { ...systemFiles, held: async (path: string) => disk[path] } };
  return refuseExposedHome(ctx, home, [file]).then(
    () => '',
    (error) => JSON.stringify([error.code, error.exit, error.next[0].texts.join('_'), ...error.next[0].values]),
  );
}
const mend = (sudo: string, uid: number, ...paths: string[]) =>
  JSON.stringify(['home-exposed', 7, `${sudo}chown -h ${uid} ${paths.map(() => '').join('_ ')}_`, ...paths]);
/** Of the user's own file the mode is wrong, and not the owner. */
const close = (...paths: string[]) => JSON.stringify(['home-exposed', 7, `chmod go-w ${paths.map(() => '').join('_ ')}_`, ...paths]);

describe('a user', () => {
  it.each<[string, Record<string, Held>, string]>([
    ['closed, or readable for others', { ...good, [home]: own(0o755), [file]: own(0o644) }, ''],
    ['of root and closed', { [home]: { mode: 0o755, uid: 0 }, [`${home}/mailboxes`]: { mode: 0o755, uid: 0 }, [file]: own(0o600) }, ''],
    ['nothing there yet', {}, ''],
    ['the group may write to the home', { ...good, [home]: own(0o770) }, close(home)],
    ['all may write to the mailbox files', { ...good, [`${home}/mailboxes`]: own(0o702) }, close(`${home}/mailboxes`)],
    ['sticky does not help', { ...good, [`${home}/mailboxes`]: own(0o1777) }, close(`${home}/mailboxes`)],
    ['the file of another user', { ...good, [file]: { mode: 0o600, uid: other } }, mend('sudo ', me, file)],
    [
      'his own home, open, and the file of another user in it',
      { ...good, [home]: own(0o777), [file]: { mode: 0o600, uid: other } },
      mend('sudo ', me, home, file),
    ],
    ['two of them', { ...good, [`${home}/setups`]: own(0o777), [file]: own(0o666) }, close(`${home}/setups`, file)],
    ['his own link to his own file', { ...good, [file]: { ...own(0o600), link: { uid: me, folderUid: me } } }, ''],
    ['a link of root to the home, as systemd makes it', { ...good, [home]: { ...own(), link: { uid: 0, folderUid: 0 } } }, ''],
  ])('%s', async (_, disk, wanted) => {
    expect(await exposed(me, disk)).toBe(wanted);
  });

  it.each<[string, Held, string]>([
    ['a volume of root that all may write to', { mode: 0o777, uid: 0 }, 'mkdir -m 700 _ && export MAILAUTH_HOME=_'],
    ['a folder for all of his own', { mode: 0o1777, uid: me }, 'mkdir -m 700 _ && export MAILAUTH_HOME=_'],
    ['a link of another user to the home', { ...own(), link: { uid: other, folderUid: other } }, 'ls -ld _'],
  ])('%s', async (_, held, wanted) => {
    expect(JSON.parse(await exposed(me, { ...good, [home]: held })).slice(0, 3)).toEqual(['home-exposed', 7, wanted]);
  });
});

describe('root', () => {
  const ofService = { [home]: own(), [`${home}/mailboxes`]: own(), [file]: own(0o600) };
  it.each<[string, Record<string, Held>, string]>([
    ['the home of a service', ofService, ''],
    ['root’s own file in it', { ...ofService, [file]: { mode: 0o600, uid: 0 } }, mend('', me, file)],
    ['root’s own folder in it', { ...ofService, [`${home}/locks`]: { mode: 0o700, uid: 0 } }, mend('', me, `${home}/locks`)],
    ['a home of root with a file of another user', { [home]: { mode: 0o700, uid: 0 }, [file]: own(0o600) }, mend('', 0, file)],
  ])('%s', async (_, disk, wanted) => {
    expect(await exposed(0, disk)).toBe(wanted);
  });

  it('a copy of the sealed file that is a link to a file of root', async () => {
    const disk = { ...ofService, [`${home}/secrets.sealed.copy`]: { mode: 0o600, uid: 0, link: { uid: me, folderUid: me } } };
    expect(JSON.parse(await exposed(0, disk)).slice(1)).toEqual([7, 'ls -ld _', `${home}/secrets.sealed.copy`]);
  });
});

it('Windows, which has neither owners nor modes', async () => {
  expect(await exposed(undefined, { [home]: { mode: 0o777, uid: 0 } })).toBe('');
});

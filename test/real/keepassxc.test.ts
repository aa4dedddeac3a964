import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Desktop, desktopFolder, logIn } from './rigs/desktop.ts';
import { bundleStoreScript } from './rigs/keyring.ts';
import { openTerminal } from './rigs/tmux.ts';

const node = process.execPath;
let place: Awaited<ReturnType<typeof desktopFolder>>;
let store = '';

beforeAll(async () => {
  place = await desktopFolder();
  store = await bundleStoreScript(place.path);
});
afterAll(() => place.remove());

const unasked = { DESKTOP_SETTINGS: 'ConfirmAccessItem=false' };

const daemonOfAnother = /gnome|seahorse|pkill|--replace/;

const inTerminal = (desktop: Desktop, ...args: readonly string[]) =>
  openTerminal([...args, '--sandbox'], { folder: place.path, env: { ...desktop.env } });

/** KeePassXC with one shared group, its Secret Service switched on. */
describe('KeePassXC', () => {
  let desktop: Desktop;

  describe('with its defaults, which ask before an entry is read', () => {
    beforeAll(async () => {
      desktop = await logIn('keepassxc', place.path);
    });
    afterAll(() => desktop.logOut());

    it('takes what a set-up writes, and keeps nothing of the probe', async () => {
      const { code, stderr } = await desktop.mailauth('setup', '--store', 'keychain', '--yes');
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      const kept = await desktop.entries();
      const doctor = await desktop.mailauth('doctor', '--store', 'keychain', '--json');
      expect(JSON.parse(doctor.stdout).data.checks).toContainEqual(expect.objectContaining({ id: 'keychain', state: 'ok' }));
      expect(await desktop.entries()).toBe(kept);
      expect(await desktop.windows()).toEqual([]);
    });

    it('gives no token without a terminal, and the error names the setting', async () => {
      const error = await desktop.failure('token', 'show');
      expect(error).toMatchObject({
        code: 'keychain-unconfirmed',
        exit: 7,
        next: [expect.stringContaining('Confirm when'), expect.anything(), expect.anything()],
      });
      expect(error.next.join()).not.toMatch(daemonOfAnother);
      expect((await desktop.mailauth('token', 'get')).code).toBe(7);
      expect(await desktop.windows()).toEqual([]);
    });

    it('gives it to a person at a terminal, who says yes in the window', async () => {
      const terminal = await inTerminal(desktop, 'token', 'get');
      try {
        await terminal.until('KeePassXC asks you whether mailauth may use its entry');
        await desktop.answer('Access Request', ['Return']);
        expect((await terminal.ended()).code).toBe(0);
      } finally {
        await terminal.close();
      }
    });

    it('takes a no', async () => {
      const terminal = await inTerminal(desktop, 'token', 'get');
      try {
        await terminal.until('KeePassXC asks you');
        await desktop.answer('Access Request', ['Escape']);
        await terminal.until('KeePassXC did not let mailauth use its entry');
        expect((await terminal.ended()).code).toBe(7);
      } finally {
        await terminal.close();
      }
    });

    it('with a locked database: exit 7 without a terminal and without a window; with one, the person unlocks it', async () => {
      expect((await desktop.run(['keepassxc', '--lock'], { DISPLAY: desktop.display })).code).toBe(0);
      const error = await desktop.failure('setup', '--store', 'keychain', '--yes', '--mailbox', 'other@contoso.example');
      expect(error).toMatchObject({ exit: 7 });
      expect(['keychain-locked', 'keychain-no-collection']).toContain(error.code);
      expect([error.title, error.next.join()]).toEqual([expect.stringContaining('KeePassXC'), expect.not.stringMatching(daemonOfAnother)]);
      expect(await desktop.windows()).toEqual([]);
      const terminal = await inTerminal(desktop, 'doctor', '--store', 'keychain');
      try {
        await terminal.until('KeePassXC asks you to unlock the database');
        await desktop.answer('Unlock Database', ['test', 'Return']);
        await terminal.until('wrote, read and deleted an entry');
        await terminal.ended();
      } finally {
        await terminal.close();
      }
    });
  });

  describe('with confirmation switched off', () => {
    beforeAll(async () => {
      desktop = await logIn('keepassxc', place.path, unasked);
      const { code, stderr } = await desktop.mailauth('setup', '--store', 'keychain', '--yes');
      expect([code, stderr]).toEqual([0, expect.any(String)]);
    });
    afterAll(() => desktop.logOut());

    it('gives tokens to every process, and two refreshes at once one token', async () => {
      expect((await desktop.mailauth('token', 'get')).code).toBe(0);
      const refresh = () => desktop.mailauth('token', 'get', '--force-refresh');
      const both = await Promise.all([refresh(), refresh()]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
    });

    it('takes every one of 40 writes, and loses nothing when six processes write at once', async () => {
      const { stdout } = await desktop.run([node, store, 'many', 'token/many', '40']);
      expect(stdout).toContain('{"written":40');
      const names = [0, 1, 2, 3, 4, 5].map((i) => `token/p${i}`);
      const attempt = async () => {
        await Promise.all(names.map((name) => desktop.run([node, store, 'write', name, '3000'])));
        return Promise.all(names.map(async (name) => JSON.parse((await desktop.run([node, store, 'read', name, '3000'])).stdout)));
      };
      let read = await attempt();
      // A crash of KeePassXC itself says nothing about mailauth: the person logs in again, and the six write again.
      for (let crashes = 0; crashes < 5 && !(await desktop.isUp()); crashes += 1) {
        await desktop.logOut();
        desktop = await logIn('keepassxc', place.path, unasked);
        read = await attempt();
      }
      expect(read).toEqual(names.map(() => expect.objectContaining({ same: true })));
    });

    it('forgets the entries that logout removes', async () => {
      const before = await desktop.entries();
      expect((await desktop.mailauth('logout', '--yes')).code).toBe(0);
      expect(await desktop.entries()).toBeLessThan(before);
      expect(await desktop.windows()).toEqual([]);
    });
  });
});

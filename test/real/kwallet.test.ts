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

const daemonOfAnother = /gnome|seahorse|pkill|--replace/;

/** KWallet (kwalletd5) as the log-in of KDE leaves it. */
describe('KWallet', () => {
  let desktop: Desktop;

  it('whose wallet the log-in has just made: says that it is there from the next log-in on', async () => {
    const first = await logIn('kwallet', place.path);
    try {
      const error = await first.failure('setup', '--store', 'keychain', '--yes');
      expect(error).toMatchObject({
        code: 'keychain-no-collection',
        exit: 7,
        next: [expect.stringContaining('Log out'), expect.anything()],
      });
      expect(error.next.join()).not.toMatch(daemonOfAnother);
    } finally {
      await first.logOut();
    }
  });

  describe('opened by the log-in', () => {
    beforeAll(async () => {
      desktop = await logIn('kwallet', place.path);
    });
    afterAll(() => desktop.logOut());

    it('is used without a question from the first call on, and keeps nothing of the probe', async () => {
      const { code, stderr } = await desktop.mailauth('setup', '--store', 'keychain', '--yes');
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      const kept = await desktop.entries();
      expect((await desktop.mailauth('token', 'get')).code).toBe(0);
      const doctor = await desktop.mailauth('doctor', '--store', 'keychain', '--json');
      expect(JSON.parse(doctor.stdout).data.checks).toContainEqual(expect.objectContaining({ id: 'keychain', state: 'ok' }));
      expect(await desktop.entries()).toBe(kept);
      expect(await desktop.windows()).toEqual([]);
    });

    it('gives two refreshes at once one token', async () => {
      const refresh = () => desktop.mailauth('token', 'get', '--force-refresh');
      const both = await Promise.all([refresh(), refresh()]);
      expect(both.map(({ code }) => code)).toEqual([0, 0]);
      expect((await desktop.mailauth('token', 'get')).stdout).toMatch(/\S/);
    });

    it('takes every one of 150 writes, each in a session of its own', async () => {
      const { stdout, stderr } = await desktop.run([node, store, 'many', 'token/many', '150']);
      expect([stdout.trim(), stderr]).toEqual([expect.stringContaining('{"written":150'), '']);
    });

    it('loses nothing when six processes write at once', async () => {
      const names = [0, 1, 2, 3, 4, 5].map((i) => `token/p${i}`);
      await Promise.all(names.map((name) => desktop.run([node, store, 'write', name, '3000'])));
      const read = await Promise.all(
        names.map(async (name) => JSON.parse((await desktop.run([node, store, 'read', name, '3000'])).stdout)),
      );
      expect(read.map(({ same }) => same)).toEqual(names.map(() => true));
    });

    it('forgets the entries that logout removes', async () => {
      const before = await desktop.entries();
      expect((await desktop.mailauth('logout', '--yes')).code).toBe(0);
      expect(await desktop.entries()).toBeLessThan(before);
      expect((await desktop.mailauth('token', 'get')).code).toBe(4);
    });
  });

  describe('closed after the log-in', () => {
    beforeAll(async () => {
      desktop = await logIn('kwallet', place.path, { DESKTOP_OPEN: 'no' });
    });
    afterAll(() => desktop.logOut());

    it('is exit 7 without a terminal, at once, without a window, with advice for KWallet', async () => {
      const started = performance.now();
      const error = await desktop.failure('setup', '--store', 'keychain', '--yes');
      expect(error).toMatchObject({ code: 'keychain-locked', exit: 7, title: "KWallet's wallet is closed" });
      expect(error.next.join()).not.toMatch(daemonOfAnother);
      expect(performance.now() - started).toBeLessThan(8_000);
      expect(await desktop.windows()).toEqual([]);
    });

    it('asks the person at a terminal in its own window, and takes a no', async () => {
      const terminal = await openTerminal(['doctor', '--sandbox', '--store', 'keychain'], { folder: place.path, env: { ...desktop.env } });
      try {
        await terminal.until('KWallet asks you to unlock the wallet');
        await desktop.answer('KDE Wallet', ['Escape']);
        await terminal.until("KWallet's wallet is closed");
        expect((await terminal.ended()).code).toBe(1);
      } finally {
        await terminal.close();
      }
    });
  });
});

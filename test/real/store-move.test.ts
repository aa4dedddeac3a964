import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Office, openOffice } from './rigs/office.ts';

let office: Office;
beforeAll(async () => {
  office = await openOffice();
});
afterAll(() => office?.close());

it('moves from gnome-keyring into the sealed file, works without a session bus, and moves back', async () => {
  const seat = await office.seat();
  const token = await seat.ready();
  const entries = [`token/this-computer/${seat.mailbox}`];
  expect(await seat.keyringEntries()).toEqual(entries);
  const MAILAUTH_KEY_FILE = join(seat.folder, 'key');
  const env = { MAILAUTH_KEY_FILE };
  expect((await seat.run(['store', 'keygen', MAILAUTH_KEY_FILE])).code).toBe(0);

  const away = await seat.run(['store', 'move', 'file'], { env });
  expect(away, away.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('1 secret moved to the sealed file') });
  expect(await seat.keyringEntries()).toEqual([]);
  const noBus = { ...env, DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined };
  expect(await seat.run(['token', 'get'], { env: noBus })).toEqual({ code: 0, stdout: `${token}\n`, stderr: '' });

  // The keyring cannot be reached: nothing changes.
  expect((await seat.failure(['store', 'move', 'keychain'], { env: noBus })).error).toMatchObject({ code: 'keychain-no-bus', exit: 7 });
  expect((await seat.run(['token', 'get'], { env })).stdout).toBe(`${token}\n`);

  const back = await seat.run(['store', 'move', 'keychain'], { env });
  expect(back, back.stderr).toMatchObject({ code: 0 });
  expect(await seat.keyringEntries()).toEqual(entries);
  expect(await seat.run(['token', 'get'])).toEqual({ code: 0, stdout: `${token}\n`, stderr: '' });
});

import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { defined } from '../../../../src/core/defined.ts';
import type { Keychain } from '../../../../src/core/keychain-port.ts';
import { systemClock } from '../../../../src/system/clock-and-random.ts';
import { createKeychain } from '../../../../src/system/keychain/keychain.ts';
import { temporaryFolder } from '../../../support/context.ts';

const open: Keychain[] = [];
const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const keychain of open.splice(0)) keychain.close();
  for (const clean of cleanups.splice(0)) await clean();
});

function keychainFor(platform: NodeJS.Platform, env: Record<string, string> = {}, childPath?: string, callLimitMs?: number): Keychain {
  const keychain = createKeychain({ platform, env, clock: systemClock, ...defined({ childPath, callLimitMs }) });
  open.push(keychain);
  return keychain;
}

/** A child whose binding always says `words`. */
async function childSaying(words: string): Promise<string> {
  const folder = await temporaryFolder();
  cleanups.push(folder.remove);
  const path = join(folder.path, 'child.mjs');
  await writeFile(
    path,
    `process.on('disconnect', () => process.exit()); process.on('message', ({ id }) => process.send({ id, error: ${JSON.stringify(words)} }));`,
  );
  return path;
}

describe('createKeychain', () => {
  it('knows name and limit of the platform', () => {
    expect([keychainFor('win32').label, keychainFor('win32').limit]).toEqual(['Windows Credential Manager', 1280]);
    expect([keychainFor('darwin').label, keychainFor('darwin').limit]).toEqual(['macOS Keychain', Number.POSITIVE_INFINITY]);
    expect([keychainFor('linux').label, keychainFor('linux').limit]).toEqual(['Secret Service', Number.POSITIVE_INFINITY]);
  });

  it('touches nothing on Linux without a bus', async () => {
    const keychain = keychainFor('linux', {}, '/nonexistent');
    await expect(keychain.getPassword('mailauth', 'a')).rejects.toMatchObject({ trouble: 'no-bus' });
    await expect(keychain.setPassword('mailauth', 'a', 'p')).rejects.toMatchObject({ trouble: 'no-bus' });
    await expect(keychain.deletePassword('mailauth', 'a')).rejects.toMatchObject({ trouble: 'no-bus' });
  });

  it('waits for a bus that hangs once, not once a mailbox', async () => {
    const folder = await temporaryFolder();
    cleanups.push(folder.remove);
    const path = join(folder.path, 'bus');
    let connections = 0;
    const silent = createServer(() => {
      connections += 1;
    });
    await new Promise<void>((done) => silent.listen(path, done));
    cleanups.unshift(async () => void silent.close());
    const keychain = keychainFor('linux', { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` }, undefined, 200);
    for (let i = 0; i < 3; i += 1) await expect(keychain.getPassword('mailauth', `${i}`)).rejects.toMatchObject({ trouble: 'busy' });
    expect(connections).toBe(1);
  });

  it.each<[NodeJS.Platform, string, string]>([
    ['darwin', 'Platform failure: User interaction is not allowed.', 'locked'],
    ['darwin', 'Platform failure: User canceled the operation.', 'denied'],
    ['darwin', 'A default keychain could not be found.', 'no-collection'],
    ['win32', "Couldn't access platform storage: Windows ERROR_NO_SUCH_LOGON_SESSION", 'denied'],
    ['darwin', 'Cannot find native binding. npm has a bug related to optional dependencies', 'no-binding'],
    ['win32', "Cannot find module '@napi-rs/keyring-win32-x64-msvc'", 'no-binding'],
    ['win32', 'anything new', 'other'],
  ])('%s: %s is %s', async (platform, words, trouble) => {
    const keychain = keychainFor(platform, {}, await childSaying(words));
    await expect(keychain.setPassword('mailauth', 'a', 'p')).rejects.toMatchObject({ trouble, message: words });
  });

  it('knows the words of an entry that is there more than once', async () => {
    const keychain = keychainFor('darwin', {}, await childSaying('Entry is matched by 3 credentials: [Entry { inner: x }]'));
    await expect(keychain.setPassword('mailauth', 'a', 'p')).rejects.toMatchObject({
      trouble: 'damaged',
      message: 'there are several entries of this name',
    });
  });

  it('says that Credential Manager cannot be used over SSH', async () => {
    const keychain = keychainFor('win32', { SSH_CONNECTION: '1 2 3 4' }, await childSaying('odd'));
    await expect(keychain.setPassword('mailauth', 'a', 'p')).rejects.toMatchObject({
      trouble: 'denied',
      message: expect.stringContaining('SSH'),
    });
  });
});

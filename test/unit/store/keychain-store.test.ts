import { describe, expect, it } from 'vitest';
import { MailauthError } from '../../../src/core/errors.ts';
import { type Keychain, KeychainFailure, type KeychainProvider, type KeychainTrouble } from '../../../src/core/keychain-port.ts';
import { mailauth } from '../../../src/core/next.ts';
import { Secret } from '../../../src/core/secret.ts';
import { keychainStore } from '../../../src/store/keychain-store.ts';
import { systemRandom } from '../../../src/system/clock-and-random.ts';
import { MemoryKeychain } from '../../support/context.ts';
import { nextOf } from '../../support/next.ts';

const storeOf = (keychain: Keychain, homeId = 'aaaa') => keychainStore({ keychain, service: 'mailauth', homeId, random: systemRandom });

function failing(error: Error): Keychain {
  const fail = async () => {
    throw error;
  };
  return { label: 'Secret Service', limit: 1280, getPassword: fail, setPassword: fail, deletePassword: fail, close() {} };
}

async function errorOf(act: Promise<unknown>): Promise<MailauthError> {
  const error = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof MailauthError)) throw new Error(`no problem, but ${error}`);
  return error;
}

describe('keychainStore', () => {
  it('writes, reads, removes', async () => {
    const keychain = new MemoryKeychain(1280);
    const store = storeOf(keychain);
    expect(await store.read('token/x')).toBeUndefined();
    await store.write('token/x', new Secret('t'.repeat(3000)));
    expect((await store.read('token/x'))?.reveal()).toBe('t'.repeat(3000));
    expect(await store.remove('token/x')).toBe(true);
    expect(await store.remove('token/x')).toBe(false);
    expect(keychain.entries.size).toBe(0);
  });

  it('keeps two homes and two services apart', async () => {
    const keychain = new MemoryKeychain();
    await storeOf(keychain, 'aaaa').write('token/x', new Secret('one'));
    await storeOf(keychain, 'bbbb').write('token/x', new Secret('two'));
    expect((await storeOf(keychain, 'aaaa').read('token/x'))?.reveal()).toBe('one');
    const sandbox = keychainStore({ keychain, service: 'mailauth-sandbox', homeId: 'aaaa', random: systemRandom });
    expect(await sandbox.read('token/x')).toBeUndefined();
    expect([...keychain.entries.keys()].every((name) => /^mailauth\0(aaaa|bbbb):/.test(name))).toBe(true);
  });

  it('does not take an entry whose name ends like a part for a part', async () => {
    const keychain = new MemoryKeychain(1280);
    const store = storeOf(keychain);
    await store.write('token/a', new Secret('x'.repeat(2000)));
    await store.write('token/a#a0', new Secret('guest'));
    expect((await store.read('token/a'))?.reveal()).toBe('x'.repeat(2000));
    expect((await store.read('token/a#a0'))?.reveal()).toBe('guest');
  });

  it('probes without leaving anything', async () => {
    const keychain = new MemoryKeychain();
    await storeOf(keychain).probe();
    expect(keychain.entries.size).toBe(0);
  });

  it('does not believe a keychain that forgets', async () => {
    const forgetful: Keychain = {
      label: 'Secret Service',
      limit: 1280,
      getPassword: async () => null,
      setPassword: async () => undefined,
      deletePassword: async () => false,
      close() {},
    };
    expect((await errorOf(storeOf(forgetful).probe())).code).toBe('keychain-failed');
  });

  it.each<[KeychainTrouble, string]>([
    ['no-bus', 'keychain-no-bus'],
    ['no-provider', 'keychain-no-provider'],
    ['no-collection', 'keychain-no-collection'],
    ['locked', 'keychain-locked'],
    ['unconfirmed', 'keychain-unconfirmed'],
    ['hung', 'keychain-hung'],
    ['denied', 'keychain-denied'],
    ['no-binding', 'keychain-no-binding'],
    ['other', 'keychain-failed'],
  ])('%s is %s: exit 7, a command to copy, no control characters', async (trouble, code) => {
    const error = await errorOf(storeOf(failing(new KeychainFailure(trouble, 'said\u001b[31m no'))).read('token/x'));
    expect(error.code).toBe(code);
    expect(error.exit).toBe(7);
    expect(error.why).toMatch(/[Ss]aid no\./);
    expect(error.next[0]).toBeTruthy();
  });

  it('a keychain that did not answer in time is temporary', async () => {
    const error = await errorOf(
      storeOf(failing(new KeychainFailure('busy', 'no answer within 8000 ms', { provider: 'kwallet' }))).read('token/x'),
    );
    expect([error.code, error.exit, error.title]).toEqual(['keychain-busy', 5, 'The keychain did not answer in time (KWallet)']);
  });

  it.each<[KeychainTrouble, KeychainProvider]>([
    ['locked', 'gnome-keyring'],
    ['locked', 'kwallet'],
    ['locked', 'keepassxc'],
    ['no-collection', 'gnome-keyring'],
    ['no-collection', 'kwallet'],
    ['no-collection', 'keepassxc'],
    ['unconfirmed', 'keepassxc'],
    ['busy', 'kwallet'],
    ['hung', 'keepassxc'],
    ['other', 'kwallet'],
  ])('%s of %s: the advice fits, and stops no daemon', async (trouble, provider) => {
    const store = storeOf(failing(new KeychainFailure(trouble, 'no', { provider, pid: 4711 })));
    const next = nextOf(await errorOf(store.read('token/x')));
    expect(next[0]).not.toMatch(/pkill|KILL|--replace|killall|quit/);
    if (provider !== 'gnome-keyring') expect(next.join('\n')).not.toMatch(/gnome|seahorse/);
    if (trouble === 'hung') expect(next[0]).toMatch(/^kill -CONT 4711/);
  });

  it.each(['write', 'read', 'remove'] as const)('leaves no entry of the probe behind when its %s fails', async (step) => {
    const keychain = new MemoryKeychain();
    let failed = false;
    const once = async (at: typeof step): Promise<void> => {
      if (at !== step || failed) return;
      failed = true;
      throw new KeychainFailure('unconfirmed', 'no');
    };
    const failsOnce: Keychain = {
      label: 'Secret Service',
      limit: Number.POSITIVE_INFINITY,
      async setPassword(service, account, value) {
        await keychain.setPassword(service, account, value);
        await once('write');
      },
      async getPassword(service, account) {
        if (account.endsWith('#a0')) return null;
        await once('read');
        return keychain.getPassword(service, account);
      },
      async deletePassword(service, account) {
        await once('remove');
        return keychain.deletePassword(service, account);
      },
      close() {},
    };
    expect((await errorOf(storeOf(failsOnce).probe())).code).toBe('keychain-unconfirmed');
    expect(keychain.entries.size).toBe(0);
  });

  it('a bus by another way than a Unix socket is not called no bus at all', async () => {
    const why = 'DBUS_SESSION_BUS_ADDRESS names no Unix socket';
    const error = await errorOf(storeOf(failing(new KeychainFailure('no-bus', why))).read('token/x'));
    expect([error.title, error.why]).toEqual([
      expect.not.stringContaining('There is no'),
      expect.stringContaining(`${why}; only those are used`),
    ]);
    expect(nextOf(error)[1]).toMatch(/^unset DBUS_SESSION_BUS_ADDRESS; export XDG_RUNTIME_DIR=/);
  });

  it('names the damaged entry and the sign-in that replaces it', async () => {
    const keychain = new MemoryKeychain(1280);
    const store = storeOf(keychain);
    await store.write('token/this-computer/ops@contoso.com', new Secret('x'.repeat(2000)));
    await keychain.deletePassword('mailauth', 'aaaa:token/this-computer/ops@contoso.com#a0');
    const error = await errorOf(store.read('token/this-computer/ops@contoso.com'));
    expect([error.code, error.exit]).toEqual(['store-damaged', 7]);
    expect(error.next).toEqual([mailauth('login', 'ops@contoso.com', { force: true })]);
  });

  it('lets a bug of ours pass as it is', async () => {
    await expect(storeOf(failing(new TypeError('bug'))).read('token/x')).rejects.toThrow(TypeError);
  });

  it('names the sealed file that is there, and makes no new key beside it', async () => {
    const keychain = failing(new KeychainFailure('no-bus', 'no session bus'));
    const of = async (hasSealed: boolean) => {
      const options = {
        keychain,
        service: 'mailauth',
        homeId: 'aaaa',
        random: systemRandom,
        hasSealedFile: async () => hasSealed,
      } as const;
      return nextOf(await errorOf(keychainStore(options).read('token/x'))).join('\n');
    };
    expect(await of(false)).toContain('mailauth store keygen ~/mailauth.key');
    expect(await of(true)).toContain('export MAILAUTH_STORE=file ');
    expect(await of(true)).not.toContain('keygen');
  });
});

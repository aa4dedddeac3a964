import type { Random } from '../core/context.ts';
import { type Keychain, KeychainFailure, type KeychainTrouble, severalEntries } from '../core/keychain-port.ts';
import { line } from '../core/next.ts';
import { Secret } from '../core/secret.ts';
import type { SecretStore } from '../core/stores.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { DamagedValue, type SplitEntry, splitEntry } from './split.ts';
import { fixOf } from './token-entry.ts';

interface KeychainStoreOptions {
  readonly keychain: Keychain;
  readonly service: 'mailauth' | 'mailauth-sandbox';
  /** id of this MAILAUTH_HOME: account names begin with it, so that two homes never share an entry */
  readonly homeId: string;
  readonly random: Pick<Random, 'bytes'>;
  /** whether this home has a sealed file, too: looked at only where the keychain fails */
  readonly hasSealedFile?: () => Promise<boolean>;
}

const codes = {
  'no-bus': 'keychain-no-bus',
  'no-provider': 'keychain-no-provider',
  'no-collection': 'keychain-no-collection',
  locked: 'keychain-locked',
  unconfirmed: 'keychain-unconfirmed',
  busy: 'keychain-busy',
  hung: 'keychain-hung',
  denied: 'keychain-denied',
  'no-binding': 'keychain-no-binding',
  'left-out': 'keychain-left-out',
  other: 'keychain-failed',
} as const satisfies Record<Exclude<KeychainTrouble, 'damaged'>, string>;

/** Secrets as entries of the operating system's keychain. One writer an entry at a time: callers hold the mailbox's lock. */
export function keychainStore(options: KeychainStoreOptions): SecretStore {
  const { keychain, service, homeId, random } = options;
  const label = keychain.label;

  // `#` begins the name of a part (split.ts), and guests of a tenant have it in their address (#EXT#).
  const accountOf = (entry: string): string => `${homeId}:${entry.replace(/[%#]/g, encodeURIComponent)}`;
  const open = (entry: string) => splitEntry(keychain, service, accountOf(entry));

  const guard = async <T>(entry: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      if (error instanceof DamagedValue) {
        if (error.newer !== undefined) throw problem('written-by-newer', { what: entry, format: error.newer }, { cause: error });
        throw problem('store-damaged', { what: entry, why: error.message, fix: [fixOf(entry)] }, { cause: error });
      }
      if (!(error instanceof KeychainFailure)) throw error;
      if (error.trouble === 'damaged') {
        // Several entries of one name cannot be overwritten: they are deleted first, and signing in makes a new one.
        const clear = line`secret-tool clear service ${service} username ${accountOf(entry)}`;
        const fix = error.message === severalEntries ? [clear, fixOf(entry)] : [fixOf(entry)];
        throw problem('store-damaged', { what: entry, why: error.message, fix }, { cause: error });
      }
      const hasSealedFile = await options.hasSealedFile?.();
      const { trouble, provider, pid } = error;
      throw problem(codes[trouble], { label, why: plain(error.message), hasSealedFile, provider, pid }, { cause: error });
    }
  };

  return {
    name: 'keychain',
    describe: () => `${label} (service "${service}")`,

    async probe() {
      const entry = `probe/${random.bytes(8).toString('hex')}`;
      const value = random.bytes(16).toString('hex');
      await guard(entry, async () => {
        const probe = open(entry);
        const { back, removed } = await triedOut(probe, value);
        if (back !== value) throw new KeychainFailure('other', 'it did not give back what was written');
        if (!removed) throw new KeychainFailure('other', 'it did not delete what was written');
      });
    },

    read: (entry) =>
      guard(entry, async () => {
        const value = await open(entry).read();
        return value === undefined ? undefined : new Secret(value);
      }),

    write: (entry, value) => guard(entry, () => open(entry).write(value.reveal())),

    remove: (entry) => guard(entry, () => open(entry).remove()),
  };
}

/** Whatever fails on the way, the entry does not stay behind: a write that was not answered may have been done. */
async function triedOut(probe: SplitEntry, value: string): Promise<{ readonly back: string | undefined; readonly removed: boolean }> {
  try {
    await probe.write(value);
    return { back: await probe.read(), removed: await probe.remove() };
  } catch (error) {
    await probe.remove().catch(() => undefined);
    throw error;
  }
}

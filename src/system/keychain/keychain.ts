import type { Clock, Env } from '../../core/context.ts';
import { type AskingPerson, type Keychain, KeychainFailure, type KeychainTrouble } from '../../core/keychain-port.ts';
import { nativeKeychain } from './native-keychain.ts';
import type { EntryName } from './secret-calls.ts';
import { secretService } from './secret-service.ts';

interface KeychainOptions {
  readonly platform: NodeJS.Platform;
  readonly env: Env;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** tests use another child */
  readonly childPath?: string;
  /** for one call of the service; tests and the quick `token get` wait less */
  readonly callLimitMs?: number;
}

const labels: Partial<Record<NodeJS.Platform, string>> = { darwin: 'macOS Keychain', win32: 'Windows Credential Manager' };

/** CRED_MAX_CREDENTIAL_BLOB_SIZE is 2560 bytes, and the binding stores UTF-16. */
const windowsLimit = 1280;

/** macOS may rightly ask its person for a password in the middle of a call. */
const callLimitMs = (platform: NodeJS.Platform): number => (platform === 'darwin' ? 60_000 : 8_000);

/** The operating system's keychain (the rules of the port: core/keychain-port.ts; the parts: README.md in this folder). */
export function createKeychain(options: KeychainOptions): Keychain {
  const { platform } = options;
  const limitMs = options.callLimitMs ?? callLimitMs(platform);
  if (platform !== 'darwin' && platform !== 'win32') return secretServiceKeychain(options, limitMs);
  const native = nativeKeychain(options, limitMs);
  return {
    label: labels[platform] ?? platform,
    limit: platform === 'win32' ? windowsLimit : Number.POSITIVE_INFINITY,
    getPassword: native.read,
    async setPassword(service, account, password) {
      await native.write(service, account, password);
    },
    deletePassword: (service, account) => native.write(service, account, null),
    close: native.close,
  };
}

/**
 * How long a service that cannot be used is not asked again. So a command waits for a busy service once, not once a mailbox, and the
 * wizard, which waits for a person, asks again.
 */
const rememberMs = 1_000;
const ofOneEntry: ReadonlySet<KeychainTrouble> = new Set(['damaged', 'unconfirmed', 'other']);

/** How long the removal of what a write left behind is waited for. A service that was only slow has carried the write out by then. */
const cleaningMs = 2_000;

/** Calls go to the service one after another, so that a person is never asked two things at a time. */
function secretServiceKeychain({ env, clock }: KeychainOptions, limitMs: number): Keychain {
  const service = secretService(env, limitMs);
  const cleaner = secretService(env, Math.min(limitMs, cleaningMs));
  let queue: Promise<unknown> = Promise.resolve();
  let last: { readonly failure: KeychainFailure; readonly until: number; readonly written: EntryName | undefined } | undefined;

  const keychainFor = (person: AskingPerson | undefined): Keychain => {
    // Without a person a locked service answers at once, and the entry alone may be locked. A person who said no is not asked for each entry.
    const isRemembered = ({ trouble }: KeychainFailure) => !ofOneEntry.has(trouble) && (trouble !== 'locked' || person !== undefined);
    const attempt = async <T>(act: () => Promise<T>, written?: EntryName): Promise<T> => {
      if (last !== undefined && clock.monotonic() < last.until) throw last.failure;
      try {
        return await act();
      } catch (failure) {
        if (failure instanceof KeychainFailure && isRemembered(failure)) last = { failure, until: clock.monotonic() + rememberMs, written };
        throw failure;
      }
    };
    const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
      const result = queue.then(act);
      queue = result.catch(() => undefined);
      return result;
    };
    const named = (serviceName: string, username: string): EntryName => ({ service: serviceName, username });
    /** A service may carry out a write that was given up. What comes after it on the bus removes it again. */
    const mayComeLate = ({ service: of, username }: EntryName): boolean =>
      last?.failure.trouble === 'busy' && last.written?.service === of && last.written.username === username;
    return {
      label: 'Secret Service',
      limit: Number.POSITIVE_INFINITY,
      getPassword: (of, account) => inTurn(() => attempt(() => service.read(named(of, account), person))),
      setPassword: (of, account, password) =>
        inTurn(() => attempt(() => service.write(named(of, account), password, person), named(of, account))),
      deletePassword: (of, account) =>
        inTurn(() => {
          const entry = named(of, account);
          return mayComeLate(entry) ? cleaner.remove(entry, undefined) : attempt(() => service.remove(entry, person));
        }),
      asking: keychainFor,
      close() {
        service.close();
        cleaner.close();
      },
    };
  };
  return keychainFor(undefined);
}

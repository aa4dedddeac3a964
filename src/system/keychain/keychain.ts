import { type Clock, type Keychain, KeychainFailure, type KeychainTrouble, severalEntries } from '../../core/context.ts';
import { troubleThatSays } from '../../core/keychain-says.ts';
import { openEntry } from './keychain-binding.ts';
import { type KeychainProcess, keychainProcess } from './keychain-process.ts';
import { type CollectionState, defaultCollection, readSecret } from './secret-service.ts';

interface KeychainOptions {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** tests use another child */
  readonly childPath?: string;
  /** for one call; tests wait less */
  readonly callLimitMs?: number;
}

const labels: Partial<Record<NodeJS.Platform, string>> = { darwin: 'macOS Keychain', win32: 'Windows Credential Manager' };

/** CRED_MAX_CREDENTIAL_BLOB_SIZE is 2560 bytes, and the binding stores UTF-16. */
const windowsLimit = 1280;
const collectionDeadlineMs = 2_500;
/** How long a state is believed. A command waits for a hung service once, not once a mailbox; the wizard, which waits for a person, asks again. */
const rememberMs = { unlocked: 5_000, unusable: 1_000 };

/**
 * The operating system's keychain (the rules of the port: core/context.ts; the parts: README.md in this folder). It reads in this process,
 * because `token get` must be quick, and writes in a process that can be killed. On Linux the Secret Service is read over D-Bus, and
 * nothing is written before the service said that its collection is unlocked.
 */
export function createKeychain(options: KeychainOptions): Keychain {
  const { platform } = options;
  const child = keychainProcess(options);
  // macOS may rightly ask its person for a password in the middle of a call.
  const limitMs = options.callLimitMs ?? (platform === 'darwin' ? 60_000 : 3_000);
  const hasSecretService = platform !== 'darwin' && platform !== 'win32';
  const calls = hasSecretService ? secretServiceCalls(options, child, limitMs) : nativeCalls(options, child, limitMs);
  return {
    label: labels[platform] ?? 'Secret Service',
    limit: platform === 'win32' ? windowsLimit : Number.POSITIVE_INFINITY,
    getPassword: calls.read,
    async setPassword(service, account, password) {
      await calls.write(service, account, password);
    },
    deletePassword: (service, account) => calls.write(service, account, null),
    close: () => child.close(),
  };
}

interface KeychainCalls {
  /** null when the entry does not exist */
  read(service: string, account: string): Promise<string | null>;
  /** `password` null deletes the entry; false: it did not exist */
  write(service: string, account: string, password: string | null): Promise<boolean>;
}

/** macOS and Windows: everything by the binding. */
function nativeCalls(options: KeychainOptions, child: KeychainProcess, limitMs: number): KeychainCalls {
  const failure = (error: unknown): KeychainFailure => (error instanceof KeychainFailure ? error : fromBinding(error, options));
  return {
    async read(service, account) {
      try {
        return (await readHere(service, account, limitMs)) ?? null;
      } catch (error) {
        throw failure(error);
      }
    },
    async write(service, account, password) {
      try {
        return await child.write({ service, account, password }, limitMs);
      } catch (error) {
        throw failure(error);
      }
    },
  };
}

/** Linux: reads over D-Bus, writes by the binding. */
function secretServiceCalls(options: KeychainOptions, child: KeychainProcess, limitMs: number): KeychainCalls {
  const { env, clock } = options;
  let last: { readonly state: CollectionState; readonly until: number } | undefined;

  const recalled = (): CollectionState | undefined => (last !== undefined && clock.monotonic() < last.until ? last.state : undefined);
  const remembered = (state: CollectionState): CollectionState => {
    last = { state, until: clock.monotonic() + rememberMs[state.kind] };
    return state;
  };
  const collection = async (): Promise<CollectionState> => recalled() ?? remembered(await defaultCollection(env, collectionDeadlineMs));

  const failure = async (error: unknown): Promise<KeychainFailure> => {
    const failed = error instanceof KeychainFailure ? error : fromBinding(error, options);
    if (failed.trouble !== 'hung') return failed;
    // The keyring may have been locked during the call, which then waited in the service's own prompt.
    last = undefined;
    const state = await collection();
    return state.kind === 'unusable' && state.trouble === 'locked' ? new KeychainFailure('locked', state.why, { cause: error }) : failed;
  };

  return {
    async read(service, account) {
      const known = recalled();
      const read = known?.kind === 'unusable' ? known : await readSecret(env, limitMs, { service, username: account });
      if (read.kind === 'read') return read.secret;
      if (read.kind === 'damaged') throw new KeychainFailure('damaged', read.why);
      // "other" and "locked" may be true for this entry only; every other trouble is that of the whole service.
      if (read.trouble !== 'other' && read.trouble !== 'locked') remembered(read);
      throw new KeychainFailure(read.trouble, read.why);
    },
    async write(service, account, password) {
      const state = await collection();
      if (state.kind === 'unusable') throw new KeychainFailure(state.trouble, state.why);
      try {
        return await child.write({ service, account, password }, limitMs);
      } catch (error) {
        throw await failure(error);
      }
    },
  };
}

async function readHere(service: string, account: string, limitMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const overrun = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // The binding's thread waits for a person or a service, and process.exit would wait for that thread.
      process.once('exit', () => process.kill(process.pid, 'SIGKILL'));
      reject(new KeychainFailure('hung', `no answer within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([openEntry(service, account).getPassword(), overrun]);
  } finally {
    clearTimeout(timer);
  }
}

/** Words of the binding's own errors. In other errors they may mean something else. */
const looseWords: readonly [RegExp, KeychainTrouble][] = [
  [/autolaunch/i, 'no-bus'],
  [/ServiceUnknown|NameHasNoOwner/i, 'no-provider'],
  [/no result found/i, 'no-collection'],
  [/IsLocked|is locked|interaction is not allowed/i, 'locked'],
  [/NoReply|timed out/i, 'hung'],
  [/AccessDenied|access (is )?denied|not correct|logon session/i, 'denied'],
];

/** The binding's errors are plain text (code `GenericFailure`), so they are told apart by their words, and only here. */
function fromBinding(error: unknown, { platform, env }: KeychainOptions): KeychainFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (platform === 'win32' && env.SSH_CONNECTION) {
    return new KeychainFailure('denied', 'Credential Manager cannot be used over SSH', { cause: error });
  }
  if (/matched by \d+ credentials/.test(message)) return new KeychainFailure('damaged', severalEntries, { cause: error });
  const trouble = troubleThatSays(message) ?? looseWords.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
  return new KeychainFailure(trouble, message, { cause: error });
}

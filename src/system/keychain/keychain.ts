import { type Clock, type Keychain, KeychainFailure, type KeychainTrouble, severalEntries } from '../../core/context.ts';
import { troubleThatSays } from '../../core/keychain-says.ts';
import { openEntry } from './keychain-binding.ts';
import { keychainProcess } from './keychain-process.ts';
import { type CollectionState, defaultCollection, readSecret } from './secret-service.ts';

export interface KeychainOptions {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** tests hand in another child */
  readonly childPath?: string;
}

const labels: Partial<Record<NodeJS.Platform, string>> = { darwin: 'macOS Keychain', win32: 'Windows Credential Manager' };

/** CRED_MAX_CREDENTIAL_BLOB_SIZE is 2560 bytes, and the binding stores UTF-16. */
const windowsLimit = 1280;
const collectionDeadlineMs = 2_500;
/** A hung service is waited for once a command, not once a mailbox; a wizard that waited for its person asks again. */
const rememberMs = { unlocked: 5_000, unusable: 1_000 };

/**
 * The operating system's keychain (the port's rules: core/context.ts). Reads in this process, because `token get` must be quick; writes
 * in a process that can be killed. On Linux the Secret Service is read by ourselves, and nothing is written before it said that it is open.
 */
export function createKeychain(options: KeychainOptions): Keychain {
  const { platform, env, clock } = options;
  const hasSecretService = platform !== 'darwin' && platform !== 'win32';
  // macOS may lawfully ask its person for a password in the middle of a call.
  const limitMs = platform === 'darwin' ? 60_000 : 3_000;
  const child = keychainProcess(options);
  let last: { readonly state: CollectionState; readonly until: number } | undefined;

  const recalled = (): CollectionState | undefined => (last !== undefined && clock.monotonic() < last.until ? last.state : undefined);
  const remembered = (state: CollectionState): CollectionState => {
    last = { state, until: clock.monotonic() + rememberMs[state.kind] };
    return state;
  };
  const collection = async (): Promise<CollectionState> => recalled() ?? remembered(await defaultCollection(env, collectionDeadlineMs));

  const ready = async (): Promise<void> => {
    if (!hasSecretService) return;
    const state = await collection();
    if (state.kind === 'unusable') throw new KeychainFailure(state.trouble, state.why);
  };

  const failure = async (error: unknown): Promise<KeychainFailure> => {
    const failed = error instanceof KeychainFailure ? error : fromBinding(error, options);
    if (failed.trouble !== 'hung' || !hasSecretService) return failed;
    // Locked while we were at it: the call hung in the service's own prompt.
    last = undefined;
    const state = await collection();
    return state.kind === 'unusable' && state.trouble === 'locked' ? new KeychainFailure('locked', state.why, { cause: error }) : failed;
  };

  const write = async (service: string, account: string, password: string | null): Promise<boolean> => {
    await ready();
    try {
      return await child.write({ service, account, password }, limitMs);
    } catch (error) {
      throw await failure(error);
    }
  };

  return {
    label: labels[platform] ?? 'Secret Service',
    limit: platform === 'win32' ? windowsLimit : Number.POSITIVE_INFINITY,

    async getPassword(service, account) {
      if (hasSecretService) {
        const known = recalled();
        const read = known?.kind === 'unusable' ? known : await readSecret(env, limitMs, { service, username: account });
        if (read.kind === 'read') return read.secret;
        if (read.kind === 'damaged') throw new KeychainFailure('damaged', read.why);
        // Of one entry "other" and "locked" say nothing about the next; what is wrong with the service is wrong for all.
        if (read.trouble !== 'other' && read.trouble !== 'locked') remembered(read);
        throw new KeychainFailure(read.trouble, read.why);
      }
      try {
        return (await readHere(service, account, limitMs)) ?? null;
      } catch (error) {
        throw await failure(error);
      }
    },

    async setPassword(service, account, password) {
      await write(service, account, password);
    },

    deletePassword: (service, account) => write(service, account, null),

    close: () => child.close(),
  };
}

async function readHere(service: string, account: string, limitMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const overrun = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // The binding's thread waits for a person or a service, and process.exit would wait for it.
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

/** What only the binding's own errors may be read from: elsewhere these words mean anything. */
const looseWords: readonly [RegExp, KeychainTrouble][] = [
  [/autolaunch/i, 'no-bus'],
  [/ServiceUnknown|NameHasNoOwner/i, 'no-provider'],
  [/no result found/i, 'no-collection'],
  [/IsLocked|is locked|interaction is not allowed/i, 'locked'],
  [/NoReply|timed out/i, 'hung'],
  [/AccessDenied|access (is )?denied|not correct|logon session/i, 'denied'],
];

/** The binding's errors are plain text (code `GenericFailure`), so they are told apart by their words and only here. */
function fromBinding(error: unknown, { platform, env }: KeychainOptions): KeychainFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (platform === 'win32' && env.SSH_CONNECTION) {
    return new KeychainFailure('denied', 'Credential Manager cannot be used over SSH', { cause: error });
  }
  if (/matched by \d+ credentials/.test(message)) return new KeychainFailure('damaged', severalEntries, { cause: error });
  const trouble = troubleThatSays(message) ?? looseWords.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
  return new KeychainFailure(trouble, message, { cause: error });
}

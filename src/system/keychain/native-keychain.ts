import type { Env } from '../../core/context.ts';
import { KeychainFailure, type KeychainTrouble, severalEntries } from '../../core/keychain-port.ts';
import { troubleThatSays } from '../../core/keychain-says.ts';
import { openEntry } from './keychain-binding.ts';
import { keychainProcess } from './keychain-process.ts';

interface NativeOptions {
  readonly platform: NodeJS.Platform;
  readonly env: Env;
  /** tests use another child */
  readonly childPath?: string;
}

export interface NativeKeychain {
  /** null when the entry does not exist */
  read(service: string, account: string): Promise<string | null>;
  /** `password` null deletes the entry; false: it did not exist */
  write(service: string, account: string, password: string | null): Promise<boolean>;
  close(): void;
}

/** The keychains of macOS and Windows, by the package @napi-rs/keyring. Reads here; writes in a process that can be killed. */
export function nativeKeychain(options: NativeOptions, limitMs: number): NativeKeychain {
  const child = keychainProcess(options);
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
    close: () => child.close(),
  };
}

async function readHere(service: string, account: string, limitMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const overrun = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // The binding's thread waits for a person or a service, and process.exit would wait for that thread.
      process.once('exit', () => process.kill(process.pid, 'SIGKILL'));
      reject(new KeychainFailure('busy', `no answer within ${limitMs} ms`));
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
  [/is locked/i, 'locked'],
  [/timed out/i, 'busy'],
  [/access (is )?denied|not correct|logon session/i, 'denied'],
];

/** The binding's errors are plain text (code `GenericFailure`), so they are told apart by their words, and only here. */
function fromBinding(error: unknown, { platform, env }: NativeOptions): KeychainFailure {
  const message = error instanceof Error ? error.message : String(error);
  // npm leaves the native part out with --omit=optional, and a node_modules folder of another system has another one.
  const [firstLine = message] = message.split('\n');
  if (/cannot find (native binding|module)|Failed to load native binding/i.test(message)) {
    return new KeychainFailure('no-binding', firstLine, { cause: error });
  }
  if (platform === 'win32' && env.SSH_CONNECTION) {
    return new KeychainFailure('denied', 'Credential Manager cannot be used over SSH', { cause: error });
  }
  if (/matched by \d+ credentials/.test(message)) return new KeychainFailure('damaged', severalEntries, { cause: error });
  const trouble = troubleThatSays(message) ?? looseWords.find(([pattern]) => pattern.test(message))?.[1] ?? 'other';
  return new KeychainFailure(trouble, message, { cause: error });
}

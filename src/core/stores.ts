import type { Secret } from './secret.ts';

/** The words of `--store`: where an operator may keep secrets. A new one also needs its row in `stores`. */
export const chosenStores = ['keychain', 'file', 'postgres'] as const;

export type ChosenStore = (typeof chosenStores)[number];

/** `sandbox-file` is where the sandbox keeps its worthless secrets on a computer without a keychain. */
export const storeNames = [...chosenStores, 'sandbox-file'] as const;

export type StoreName = (typeof storeNames)[number];

export const defaultStore = 'keychain' satisfies ChosenStore;

export const isChosenStore = (word: string): word is ChosenStore => chosenStores.some((name) => name === word);

/** Everything that a person reads of one store; what it does is in `src/store`, and `openStore` opens it. */
interface Store {
  /** heading of its check in `mailauth doctor` */
  readonly title: string;
  /** what it is, after its name */
  readonly is: string;
}

export const stores: Readonly<Record<StoreName, Store>> = {
  keychain: { title: 'Keychain', is: "the operating system's keychain" },
  file: { title: 'Sealed file', is: 'one sealed file' },
  postgres: { title: 'PostgreSQL', is: 'a database that several machines share' },
  'sandbox-file': { title: "Sandbox's file", is: "a file in the sandbox's own folder" },
};

/**
 * Where tokens and client secrets live. A store that was asked for never falls back to another one.
 * Failures are `MailauthError`s of the store catalogue, exit 7.
 */
export interface SecretStore {
  readonly name: StoreName;
  /** for status and doctor: `Secret Service (service "mailauth")` */
  describe(): string;
  /** write, read, compare, delete a random entry; call it before any browser opens */
  probe(): Promise<void>;
  read(entry: string): Promise<Secret | undefined>;
  write(entry: string, value: Secret): Promise<void>;
  /** false when the entry did not exist */
  remove(entry: string): Promise<boolean>;
  /** Many at once, where that is quicker: undefined for what does not exist. What is damaged is left out, and `read` says why. */
  readMany?(entries: readonly string[]): Promise<ReadonlyMap<string, Secret | undefined>>;
  /** Where machines share the work on entries: the turn of this one; undefined at once where another machine has it. */
  turn?(entry: string): Promise<Turn | undefined>;
}

/** The right to do the work on one entry, until it is ended or this process dies. */
export interface Turn {
  /** how long ago a turn of this entry ended with its work done, in milliseconds */
  readonly doneAgoMs: number | undefined;
  end(isDone: boolean): Promise<void>;
}

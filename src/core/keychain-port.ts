/** keytar's shape. Failures are `KeychainFailure`. Every call ends within its own limit, whatever the keychain does. */
export interface Keychain {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
  /** largest value of one entry in UTF-16 code units (Windows: 1280), or Infinity */
  readonly limit: number;
  /** `Secret Service`, `macOS Keychain`, `Windows Credential Manager` */
  readonly label: string;
  /** the same keychain, where a person may be asked in a window of its own; missing where the system decides about that by itself */
  asking?(person: AskingPerson): Keychain;
  /** ends helper processes and connections; safe to call twice */
  close(): void;
}

/** A person at a terminal, who sees what the keychain's window is about. */
export interface AskingPerson {
  say(line: string): void;
}

/** The programs behind the Secret Service that mailauth knows by name. */
export type KeychainProvider = 'gnome-keyring' | 'kwallet' | 'keepassxc';

/**
 * What is wrong with the keychain as a whole; `damaged` and `unconfirmed` are about the one entry. `busy` did not answer in time, `hung`
 * cannot answer, `unconfirmed` wants a person's yes for the entry, `no-binding` is a missing part of the installation, and
 * `left-out` one that the single-file program never has (release/single-file.mjs).
 */
export type KeychainTrouble =
  | 'no-bus'
  | 'no-provider'
  | 'no-collection'
  | 'locked'
  | 'unconfirmed'
  | 'busy'
  | 'hung'
  | 'denied'
  | 'no-binding'
  | 'left-out'
  | 'damaged'
  | 'other';

/** What a `damaged` failure says when the keychain has several entries of one name, made by another program or by restoring a keyring. */
export const severalEntries = 'there are several entries of this name';

/** More about a failure of the Secret Service. */
interface KeychainDetails {
  readonly cause?: unknown;
  /** who answers for it; undefined where that is not known or does not matter */
  readonly provider?: KeychainProvider | undefined;
  /** its process, where that is `hung` */
  readonly pid?: number;
}

export class KeychainFailure extends Error {
  readonly trouble: KeychainTrouble;
  readonly provider: KeychainProvider | undefined;
  readonly pid: number | undefined;

  constructor(trouble: KeychainTrouble, message: string, { cause, provider, pid }: KeychainDetails = {}) {
    super(message, { cause });
    this.name = 'KeychainFailure';
    this.trouble = trouble;
    this.provider = provider;
    this.pid = pid;
  }
}

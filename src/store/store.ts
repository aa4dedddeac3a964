import type { Secret } from '../core/secret.ts';
import type { StoreName } from '../core/stores.ts';

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
}

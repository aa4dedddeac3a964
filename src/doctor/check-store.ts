import { MailauthError } from '../core/errors.ts';
import { defaultStore, type SecretStore, type StoreName, stores } from '../core/stores.ts';
import { type Check, ok, warned } from './check.ts';

interface StoreToCheck {
  readonly name: StoreName;
  /** why a failure is only a warning: no mailbox is in this store, or the sandbox does not need it. Undefined where the store is needed */
  readonly spare?: string;
}

/** A person types the password of the keychain in its own window meanwhile. */
const personMs = 150_000;

/** Writes, reads, compares and deletes a random entry. `mayAsk`: a person at the terminal may have to unlock the store first. */
export function storeCheck({ name, spare }: StoreToCheck, open: (name: StoreName) => Promise<SecretStore>, mayAsk = false): Check {
  return {
    id: name,
    title: stores[name].title,
    ...(mayAsk ? { limitMs: personMs } : {}),
    async run() {
      try {
        const store = await open(name);
        await store.probe();
        return ok(`wrote, read and deleted an entry in ${store.describe()}`);
      } catch (error) {
        if (spare === undefined || !(error instanceof MailauthError)) throw error;
        return warned(error, spare);
      }
    },
  };
}

/** The store that was asked for; else those that hold a mailbox, and the default one, where a new mailbox would go. */
export function storesToCheck(o: {
  readonly asked: StoreName | undefined;
  readonly recorded: readonly StoreName[];
  /** a variable names a database */
  readonly database?: boolean;
  readonly sandbox: boolean;
}): readonly StoreToCheck[] {
  if (o.asked !== undefined) return [{ name: o.asked }];
  const used = [...new Set([...o.recorded, ...(o.database === true ? (['postgres'] as const) : [])])];
  if (used.includes(defaultStore)) return used.map((name) => ({ name }));
  const fallback: StoreToCheck = o.sandbox
    ? { name: defaultStore, spare: 'the sandbox does not need it' }
    : { name: defaultStore, ...(used.length === 0 ? {} : { spare: 'no mailbox is in it' }) };
  return [fallback, ...used.map((name) => ({ name }))];
}

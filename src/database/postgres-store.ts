import type { Context } from '../core/context.ts';
import { MailauthError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import type { SecretStore } from '../core/stores.ts';
import { problem } from '../errors/problem.ts';
import type { KeySource } from '../store/key-source.ts';
import { fixOf } from '../store/token-entry.ts';
import type { Database } from './database.ts';
import { keyCheck, sealRow, UnusableRow, unsealRow } from './sealed-row.ts';

interface PostgresStoreOptions {
  readonly database: Database;
  /** the address for messages */
  readonly where: string;
  readonly key: KeySource;
  /** what stands before each name: the sandbox's worthless secrets are kept apart from the real ones */
  readonly prefix: '' | 'sandbox/';
  readonly random: Context['random'];
}

/** What opens the rows: the key file, and the database's own id. */
interface OpenedKey {
  readonly master: Uint8Array;
  readonly id: Uint8Array;
}

/** The key file, which must be the one of all other machines. Throws `database-key-missing`, `database-key-wrong`, `key-file-unusable`. */
async function openKey({ database, where, key }: PostgresStoreOptions): Promise<OpenedKey> {
  const { id, keyCheck: known } = await database.edition();
  if (key.kind !== 'key-file') throw problem('database-key-missing', { where, isSealed: known !== undefined });
  const master = await key.master({ kind: 'key-file', salt: id }, where, false);
  const own = keyCheck(master, id);
  if (known === undefined) await database.query('UPDATE mailauth.edition SET key_check = $1 WHERE key_check IS NULL', [own]);
  const [row] = known === undefined ? await database.query('SELECT key_check FROM mailauth.edition') : [{ key_check: known }];
  if (!(row?.key_check instanceof Uint8Array) || !own.equals(row.key_check)) throw problem('database-key-wrong', { where });
  return { master, id };
}

/** Throws `store-damaged`, `written-by-newer`. */
function opened(sealed: unknown, entry: string, { master, id }: OpenedKey, prefix: string): Secret {
  try {
    if (!(sealed instanceof Uint8Array)) throw new UnusableRow('damaged');
    return new Secret(unsealRow(sealed, master, { id, name: prefix + entry }));
  } catch (error) {
    if (!(error instanceof UnusableRow)) throw error;
    if (error.kind === 'newer') throw problem('written-by-newer', { what: entry, format: error.format }, { cause: error });
    throw problem('store-damaged', { what: entry, why: error.message, fix: [fixOf(entry)] }, { cause: error });
  }
}

/** Secrets in PostgreSQL, each sealed on this computer before it leaves it. */
export function postgresStore(options: PostgresStoreOptions): SecretStore {
  const { database, where, prefix, random } = options;
  let unlocking: Promise<OpenedKey> | undefined;
  const unlocked = async (): Promise<OpenedKey> => {
    unlocking ??= openKey(options);
    try {
      return await unlocking;
    } catch (error) {
      unlocking = undefined;
      throw error;
    }
  };

  const store: SecretStore = {
    name: 'postgres',
    describe: () => `PostgreSQL database ${where}`,
    probe: () => probe(store, options),

    async read(entry) {
      const open = await unlocked();
      const [row] = await database.query('SELECT sealed FROM mailauth.secret WHERE name = $1', [prefix + entry]);
      return row === undefined ? undefined : opened(row.sealed, entry, open, prefix);
    },

    async readMany(entries) {
      const open = await unlocked();
      const names = entries.map((entry) => prefix + entry);
      const found = new Map<string, Secret | undefined>(entries.map((entry) => [entry, undefined]));
      for (const { name, sealed } of await database.query('SELECT name, sealed FROM mailauth.secret WHERE name = ANY($1)', [names])) {
        const entry = String(name).slice(prefix.length);
        try {
          found.set(entry, opened(sealed, entry, open, prefix));
        } catch (error) {
          if (!(error instanceof MailauthError)) throw error;
          found.delete(entry);
        }
      }
      return found;
    },

    async write(entry, value) {
      const { master, id } = await unlocked();
      const sealed = sealRow(value.reveal(), master, { id, name: prefix + entry }, (count) => random.bytes(count));
      await database.query(
        `INSERT INTO mailauth.secret (name, sealed) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, changed_at = now()`,
        [prefix + entry, sealed],
      );
    },

    async remove(entry) {
      // A turn that another machine has just now ends by itself, and its row is of no use to anybody.
      await database.query(
        'DELETE FROM mailauth.turn WHERE name = (SELECT name FROM mailauth.turn WHERE name = $1 FOR UPDATE SKIP LOCKED)',
        [prefix + entry],
      );
      return (await database.query('DELETE FROM mailauth.secret WHERE name = $1 RETURNING name', [prefix + entry])).length > 0;
    },

    turn: (entry) => database.turn(prefix + entry),
  };
  return store;
}

async function probe(store: SecretStore, { where, random }: PostgresStoreOptions): Promise<void> {
  const entry = `probe/${random.bytes(8).toString('hex')}`;
  const value = random.bytes(16).toString('hex');
  try {
    await store.write(entry, new Secret(value));
    if ((await store.read(entry))?.reveal() === value) return;
    throw problem('database-failed', { where, why: 'It did not give back what was written.' });
  } finally {
    // A probe that failed says why; that its row cannot be removed adds nothing.
    await store.remove(entry).catch(() => undefined);
  }
}

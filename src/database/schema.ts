import type { DatabaseConnection } from '../core/database-port.ts';

/**
 * The schema `mailauth`, a step a version. A step that is released is never changed: what is new is a step of its own.
 *
 * - `edition`: its one row says the version, the database's own random id, and which key file is in use
 * - `document`: what a home keeps in readable files; `path` is as below MAILAUTH_HOME: `mailboxes/ops@contoso.com~osticket.json`
 * - `secret`: sealed values (sealed-row.ts)
 * - `turn`: a row a mailbox, locked by the machine that renews it (FOR UPDATE SKIP LOCKED)
 */
const steps: readonly string[] = [
  `CREATE TABLE mailauth.edition (
     single boolean PRIMARY KEY DEFAULT true CHECK (single),
     version integer NOT NULL,
     id bytea NOT NULL,
     key_check bytea,
     made_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE TABLE mailauth.document (
     path text COLLATE "C" PRIMARY KEY,
     body jsonb NOT NULL,
     changed_at timestamptz NOT NULL DEFAULT now()
   );
   CREATE TABLE mailauth.secret (
     name text COLLATE "C" PRIMARY KEY,
     sealed bytea NOT NULL,
     changed_at timestamptz NOT NULL DEFAULT now()
   );
   -- Tokens are rewritten all the time: room in each page spares the index (heap-only tuples).
   ALTER TABLE mailauth.secret SET (fillfactor = 70);
   ALTER TABLE mailauth.document SET (fillfactor = 80);`,
  `CREATE TABLE mailauth.turn (name text COLLATE "C" PRIMARY KEY, done_at timestamptz);`,
];

/** The version that this mailauth works with. */
export const schemaVersion = steps.length;

/** What `store init` did: `from` is 0 for a new schema. */
export interface SchemaChange {
  readonly from: number;
  readonly to: number;
}

/**
 * Makes the schema, or brings it to the version of this mailauth, in one transaction: killed in the middle, nothing has happened. Two at once
 * do it one after the other. A newer schema is left as it is. Throws `DatabaseFailure`.
 */
export async function migrate(connection: DatabaseConnection, id: Uint8Array): Promise<SchemaChange> {
  await connection.query('BEGIN');
  try {
    await connection.query(`SELECT pg_advisory_xact_lock(hashtextextended('mailauth store init', 0))`);
    const [found] = await connection.query(
      `SELECT to_regclass('mailauth.edition') IS NOT NULL AS made, to_regnamespace('mailauth') IS NOT NULL AS schema`,
    );
    const [row] = found?.made === true ? await connection.query('SELECT version FROM mailauth.edition') : [];
    const from = typeof row?.version === 'number' ? row.version : 0;
    if (from < schemaVersion) {
      if (found?.schema !== true) await connection.query('CREATE SCHEMA mailauth');
      for (const step of steps.slice(from)) await connection.query(step);
      if (from === 0) await connection.query('INSERT INTO mailauth.edition (version, id) VALUES ($1, $2)', [schemaVersion, id]);
      else await connection.query('UPDATE mailauth.edition SET version = $1', [schemaVersion]);
    }
    await connection.query('COMMIT');
    return { from, to: Math.max(from, schemaVersion) };
  } catch (error) {
    // The connection may be what failed: then the server has taken everything back already.
    await connection.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** What the edition row says, read with each new connection. Throws `DatabaseFailure`. */
export interface Edition {
  readonly version: number;
  readonly id: Uint8Array;
  readonly keyCheck: Uint8Array | undefined;
  /** the database's clock, in milliseconds since the epoch */
  readonly now: number;
}

export async function readEdition(connection: DatabaseConnection): Promise<Edition | undefined> {
  const [row] = await connection.query(
    'SELECT version, id, key_check, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now FROM mailauth.edition',
  );
  const { version, id, key_check: check, now } = row ?? {};
  if (typeof version !== 'number' || !(id instanceof Uint8Array) || typeof now !== 'number') return undefined;
  return { version, id, keyCheck: check instanceof Uint8Array ? check : undefined, now };
}

import { nodeCrypto } from '../core/builtins.ts';
import type { Context } from '../core/context.ts';
import {
  type DatabaseAddress,
  type DatabaseConnection,
  DatabaseFailure,
  type DatabaseRow,
  type DatabaseValue,
} from '../core/database-port.ts';
import type { Turn } from '../core/stores.ts';
import { problem } from '../errors/problem.ts';
import { databaseAddress, shownAddress } from './address.ts';
import { databaseProblem } from './failures.ts';
import { type Edition, migrate, readEdition, type SchemaChange, schemaVersion } from './schema.ts';
import { Turns } from './turns.ts';

/** The database that this machine shares with others. It is connected to when it is first asked, and again where the connection was lost. */
export interface Database {
  /** for messages: without user name and password. Throws `database-address-missing`, `database-address-wrong` */
  where(): Promise<string>;
  /** One statement. It runs a second time where the connection is lost in the middle of it, so twice must do what once does. Throws the database's problems. */
  query(sql: string, values?: readonly DatabaseValue[]): Promise<readonly DatabaseRow[]>;
  /** of the schema's one row; throws the database's problems */
  edition(): Promise<Edition>;
  /** how far its clock is ahead of this computer's, in milliseconds; 0 before it was asked, and for less than two seconds */
  readonly aheadMs: number;
  /**
   * One machine at a time, by PostgreSQL's advisory locks, which end with the connection of a machine that dies. undefined: another one still
   * holds it after `waitMs`. It does not keep two parts of one process apart: the lock of this computer does that.
   */
  lock(name: string, waitMs: number): Promise<(() => Promise<void>) | undefined>;
  /** The turn of this row, by FOR UPDATE SKIP LOCKED; undefined at once where another process has it. One at a time in a process. */
  turn(name: string): Promise<Turn | undefined>;
  /** makes the schema or brings it up to date */
  migrate(): Promise<SchemaChange>;
  close(): void;
}

type DatabaseContext = Pick<Context, 'env' | 'platform' | 'files' | 'clock' | 'random' | 'signal' | 'connectDatabase'>;

/** How long a server that restarts, or has no connection left, is tried again. In milliseconds. */
const patienceMs = 3_000;
const pauseMs = 150;

/** Answers how the database is reached, from the first use of it on. Throws the problems of its address and its own when it is used. */
export function openDatabase(ctx: DatabaseContext, timeoutMs: number): Database {
  return new PostgresDatabase(ctx, timeoutMs);
}

class PostgresDatabase implements Database {
  readonly #ctx: DatabaseContext;
  readonly #timeoutMs: number;
  /** the locks that are held, by their names, with the numbers that PostgreSQL knows them by */
  readonly #held = new Map<string, string>();
  readonly #turns: Turns;
  #address: Promise<DatabaseAddress> | undefined;
  #open: Promise<DatabaseConnection> | undefined;
  #edition: Edition | undefined;
  #aheadMs = 0;

  constructor(ctx: DatabaseContext, timeoutMs: number) {
    this.#ctx = ctx;
    this.#timeoutMs = timeoutMs;
    this.#turns = new Turns(() => this.#connect());
  }

  get aheadMs(): number {
    return this.#aheadMs;
  }

  async where(): Promise<string> {
    return shownAddress(await this.#addressOf());
  }

  query(sql: string, values?: readonly DatabaseValue[]): Promise<readonly DatabaseRow[]> {
    return this.#told(async () => {
      const connection = await this.#current();
      try {
        return await connection.query(sql, values);
      } catch (error) {
        // Lost in the middle: whether it was done is not known, and twice does what once does.
        if (!(error instanceof DatabaseFailure) || error.trouble !== 'away') throw error;
        return await (await this.#current()).query(sql, values);
      }
    });
  }

  async edition(): Promise<Edition> {
    if (this.#edition === undefined) await this.query('SELECT 1 AS there');
    if (this.#edition === undefined) throw new Error('the edition is read with the connection');
    return this.#edition;
  }

  async lock(name: string, waitMs: number): Promise<(() => Promise<void>) | undefined> {
    const { clock, signal } = this.#ctx;
    const key = lockKey(name);
    const end = clock.monotonic() + waitMs;
    for (let looks = 0; ; looks += 1) {
      const [row] = await this.query(tryLock, [key]);
      if (row?.got === true) break;
      const leftMs = end - clock.monotonic();
      if (leftMs <= 0) return undefined;
      await clock.sleep(Math.min(leftMs, 50 * 1.2 ** Math.min(looks, 9)), signal);
    }
    this.#held.set(name, key);
    return async () => {
      this.#held.delete(name);
      // A connection that is lost has freed it.
      const connection = await this.#open?.catch(() => undefined);
      await connection?.query('SELECT pg_advisory_unlock($1)', [key]).catch(() => undefined);
    };
  }

  turn(name: string): Promise<Turn | undefined> {
    return this.#told(async () => {
      // The schema is looked at first, with words for what is wrong with it.
      await this.#current();
      return await this.#turns.take(name);
    });
  }

  migrate(): Promise<SchemaChange> {
    return this.#told(async () => {
      const connection = await this.#connect();
      try {
        return await migrate(connection, this.#ctx.random.bytes(32));
      } finally {
        connection.close();
      }
    });
  }

  close(): void {
    void this.#open?.then(
      (connection) => connection.close(),
      () => undefined,
    );
    this.#open = undefined;
    this.#turns.close();
  }

  async #addressOf(): Promise<DatabaseAddress> {
    const reading = this.#address ?? databaseAddress(this.#ctx);
    this.#address = reading;
    try {
      return await reading;
    } catch (error) {
      // An agent that runs on finds the file once it is mended.
      if (this.#address === reading) this.#address = undefined;
      throw error;
    }
  }

  async #told<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof DatabaseFailure)) throw error;
      throw databaseProblem(error, await this.where());
    }
  }

  /** A server that restarts is back in a moment. Throws `DatabaseFailure`. */
  async #connect(): Promise<DatabaseConnection> {
    const { clock, signal } = this.#ctx;
    const address = await this.#addressOf();
    const end = clock.monotonic() + Math.min(patienceMs, this.#timeoutMs);
    for (;;) {
      try {
        return await prepareConnection(await this.#ctx.connectDatabase(address, this.#timeoutMs));
      } catch (error) {
        const isPassing = error instanceof DatabaseFailure && error.trouble === 'away';
        if (!isPassing || clock.monotonic() >= end) throw error;
        await clock.sleep(pauseMs, signal);
      }
    }
  }

  /** The connection in use, made anew where it was lost. */
  async #current(): Promise<DatabaseConnection> {
    for (;;) {
      const running = this.#open ?? this.#prepared();
      this.#open = running;
      try {
        const connection = await running;
        if (!connection.isOver) return connection;
        if (this.#open === running) this.#open = undefined;
      } catch (error) {
        if (this.#open === running) this.#open = undefined;
        throw error;
      }
    }
  }

  /** A new connection to a schema that this version knows, with the locks that were held on the one before. */
  async #prepared(): Promise<DatabaseConnection> {
    const { clock } = this.#ctx;
    const connection = await this.#connect();
    try {
      const askedAt = clock.now();
      const edition = await readEdition(connection);
      const where = await this.where();
      if (edition === undefined) throw problem('database-schema-missing', { where });
      if (edition.version > schemaVersion) throw problem('database-schema-newer', { where });
      if (edition.version < schemaVersion) throw problem('database-schema-older', { where });
      this.#edition = edition;
      const aheadMs = Math.round(edition.now - (askedAt + clock.now()) / 2);
      this.#aheadMs = Math.abs(aheadMs) < leastSkewMs ? 0 : aheadMs;
      for (const [what, key] of this.#held) {
        const [row] = await connection.query(tryLock, [key]);
        // Another machine took the lock after the connection was lost.
        if (row?.got !== true) throw problem('database-lock-lost', { where, what });
      }
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}

/** A connection that cannot be used is not left open. */
async function prepareConnection(connection: DatabaseConnection): Promise<DatabaseConnection> {
  try {
    await connection.query(settings);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

const leastSkewMs = 2_000;

const tryLock = 'SELECT pg_try_advisory_lock($1) AS got';

/** Advisory locks are named by 64 bits, and all programs of a database share them. */
const lockKey = (name: string): string =>
  nodeCrypto().createHash('sha256').update(`mailauth ${name}`).digest().readBigInt64BE(0).toString();

/**
 * A machine that dies is noticed within a minute, and one that is stopped for long (a laptop that sleeps) gives up what it holds. Only the names
 * that this server knows are set (idle_session_timeout came with PostgreSQL 14). Nothing but mailauth's own tables and the system's is named.
 */
const settings = `SELECT set_config(s.name, s.value, false) FROM (VALUES
  ('search_path', 'pg_catalog'), ('tcp_keepalives_idle', '20'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'),
  ('tcp_user_timeout', '60000'), ('idle_session_timeout', '600000'), ('idle_in_transaction_session_timeout', '300000'),
  ('client_min_messages', 'warning')) AS s(name, value)
  JOIN pg_catalog.pg_settings p ON p.name = s.name`;

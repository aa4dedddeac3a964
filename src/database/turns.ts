import type { DatabaseConnection } from '../core/database-port.ts';
import type { Turn } from '../core/stores.ts';

/** Each turn is a transaction that stays open, on a connection of its own: what is written meanwhile is not part of it. */
export class Turns {
  readonly #connect: () => Promise<DatabaseConnection>;
  #connection: DatabaseConnection | undefined;
  /** resolves when the turn before has ended */
  #before: Promise<void> = Promise.resolve();

  constructor(connect: () => Promise<DatabaseConnection>) {
    this.#connect = connect;
  }

  /** Throws `DatabaseFailure`. */
  async take(name: string): Promise<Turn | undefined> {
    let free = (): void => undefined;
    const before = this.#before;
    this.#before = new Promise((done) => {
      free = done;
    });
    await before;
    try {
      if (this.#connection === undefined || this.#connection.isOver) this.#connection = await this.#connect();
      const connection = this.#connection;
      await connection.query('INSERT INTO mailauth.turn (name) VALUES ($1) ON CONFLICT DO NOTHING', [name]);
      await connection.query('BEGIN');
      const [row] = await connection.query(
        `SELECT (extract(epoch FROM clock_timestamp() - done_at) * 1000)::float8 AS ago
         FROM mailauth.turn WHERE name = $1 FOR UPDATE SKIP LOCKED`,
        [name],
      );
      const end = async (isDone: boolean): Promise<void> => {
        try {
          if (isDone) await connection.query('UPDATE mailauth.turn SET done_at = clock_timestamp() WHERE name = $1', [name]);
          await connection.query('COMMIT');
        } catch {
          // A connection that is lost has ended the transaction; that the work was done, its result says.
          this.close();
        } finally {
          free();
        }
      };
      if (row !== undefined) return { doneAgoMs: typeof row.ago === 'number' ? row.ago : undefined, end };
      await end(false);
      return undefined;
    } catch (error) {
      this.close();
      free();
      throw error;
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

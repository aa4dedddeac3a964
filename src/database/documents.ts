import type { Database } from './database.ts';

/** How many documents are fetched at once. */
const pageSize = 500;

/** The readable files that a database keeps, by their paths below MAILAUTH_HOME: `mailboxes/ops@contoso.com~osticket.json`. */
export function documents(database: Database) {
  return {
    async read(path: string): Promise<string | undefined> {
      const [row] = await database.query('SELECT body::text AS body FROM mailauth.document WHERE path = $1', [path]);
      return typeof row?.body === 'string' ? row.body : undefined;
    },

    async has(path: string): Promise<boolean> {
      return (await database.query('SELECT 1 AS there FROM mailauth.document WHERE path = $1', [path])).length > 0;
    },

    async write(path: string, body: string): Promise<void> {
      await database.query(
        `INSERT INTO mailauth.document (path, body) VALUES ($1, $2)
         ON CONFLICT (path) DO UPDATE SET body = excluded.body, changed_at = now()`,
        [path, body],
      );
    },

    /** false when it did not exist */
    async remove(path: string): Promise<boolean> {
      return (await database.query('DELETE FROM mailauth.document WHERE path = $1 RETURNING path', [path])).length > 0;
    },

    /** the names directly in a folder, sorted by their bytes */
    async list(folder: string): Promise<readonly string[]> {
      const rows = await database.query('SELECT path FROM mailauth.document WHERE path > $1 AND path < $2 ORDER BY path', range(folder));
      return rows.map(({ path }) => String(path).slice(folder.length + 1));
    },

    /** the same names with their content, a page at a time */
    async *each(folder: string): AsyncGenerator<{ readonly name: string; readonly text: string }> {
      let [after, end] = range(folder);
      for (;;) {
        const rows = await database.query(
          'SELECT path, body::text AS body FROM mailauth.document WHERE path > $1 AND path < $2 ORDER BY path LIMIT $3',
          [after, end, pageSize],
        );
        for (const { path, body } of rows) yield { name: String(path).slice(folder.length + 1), text: String(body) };
        if (rows.length < pageSize) return;
        after = String(rows.at(-1)?.path);
      }
    },
  };
}

/** Between these two are all paths of a folder: 0 follows the slash. */
const range = (folder: string): readonly [string, string] => [`${folder}/`, `${folder}0`];

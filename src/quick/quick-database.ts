import { sharedWith } from '../session/shared-with.ts';
import { connectPostgres } from '../system/postgres.ts';
import { main as quick } from './quick.ts';

/**
 * `token get` where the environment names a database: a program beside quick.cjs, which would start more slowly with it. What is not there to
 * read, and what is wrong, the whole program says.
 */
export const main = (): Promise<void> =>
  quick((ctx, globals, home) => sharedWith({ ...ctx, connectDatabase: connectPostgres(ctx.env) }, globals, home));

import type { Context } from '../core/context.ts';
import { namesDatabase } from '../core/database-port.ts';
import type { SecretStore } from '../core/stores.ts';
import { type Database, openDatabase } from '../database/database.ts';
import { postgresStore } from '../database/postgres-store.ts';
import { sharedFiles } from '../database/shared-files.ts';
import type { KeySource } from '../store/key-source.ts';
import { defaultStepTimeoutMs, type Globals } from './globals.ts';

export interface Shared {
  readonly database: Database;
  /** as of this computer, but with the files that the database has, and its time */
  readonly ctx: Context;
  store(key: KeySource): Promise<SecretStore>;
}

/** What this run shares with other machines; undefined where no database is named. Nothing is connected to yet. */
export function sharedWith(ctx: Context, globals: Globals, home: string): Shared | undefined {
  if (!namesDatabase(ctx) && globals.store !== 'postgres') return undefined;
  const database = openDatabase(ctx, globals.timeoutMs ?? defaultStepTimeoutMs);
  const prefix = globals.sandbox ? 'sandbox/' : '';
  const { clock } = ctx;
  return {
    database,
    ctx: {
      ...ctx,
      files: sharedFiles({ local: ctx.files, home, prefix, database, clock }),
      // Machines compare what they write with what others have written, so one clock counts for all of them.
      clock: { ...clock, now: () => clock.now() + database.aheadMs, own: () => clock.now() },
    },
    store: async (key) => postgresStore({ database, where: await database.where(), key, prefix, random: ctx.random }),
  };
}

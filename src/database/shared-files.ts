import { basename, join, relative, sep } from 'node:path';
import * as z from 'zod/mini';
import type { Context, Files } from '../core/context.ts';
import { parseJsonFile } from '../store/schemas.ts';
import type { Database } from './database.ts';
import { documents } from './documents.ts';

/** What machines with the same mailboxes share, below MAILAUTH_HOME. */
const sharedFolders = ['mailboxes', 'setups', 'rotations', 'exchange'];
/** What notices were sent about the database's own set-ups. */
export const sharedNotices = 'shared-notices.json';

/** Mailbox files and notes of interrupted set-ups say themselves in which store their secrets are. */
const named = z.object({ store: z.exactOptional(z.string()) });

interface SharedFilesOptions {
  /** the files of this computer */
  readonly local: Files;
  readonly home: string;
  /** what stands before each path: the sandbox's set-ups are kept apart from the real ones */
  readonly prefix: '' | 'sandbox/';
  readonly database: Database;
  readonly clock: Context['clock'];
}

/**
 * The files of MAILAUTH_HOME, of which those about mailboxes in PostgreSQL are documents of the database, by the same paths. So all that reads,
 * writes, lists and locks files works for both. What is a file on this computer stays one: the database is asked only for what is not, or is
 * new. Throws what the disk throws, and the database's problems.
 */
export function sharedFiles(options: SharedFilesOptions): Files {
  const { local, home, prefix, database } = options;
  const there = documents(database);
  const folderOf = (path: string): string | undefined => {
    const folder = relative(home, path);
    return sharedFolders.includes(folder) ? `${prefix}${folder}` : undefined;
  };
  return {
    ...local,
    own: local,
    async documentOf(path) {
      return (await isLocal(path, options)) ? undefined : documentOf(path, options);
    },

    async read(path) {
      const document = documentOf(path, options);
      return (await local.read(path)) ?? (document === undefined ? undefined : there.read(document));
    },

    async writeAtomic(path, content) {
      const document = documentOf(path, options);
      if (document === undefined || typeof content !== 'string') return local.writeAtomic(path, content);
      if (await belongsThere(path, content, options)) {
        await there.write(document, content);
        // A mailbox that was moved into the database is not left here.
        await local.remove(path);
        return;
      }
      const isNew = !(await isLocal(path, options));
      await local.writeAtomic(path, content);
      // A mailbox that was moved out of the database is not left there.
      if (isNew) await there.remove(document);
    },

    async remove(path) {
      const document = documentOf(path, options);
      const removed = await local.remove(path);
      return removed || document === undefined ? removed : there.remove(document);
    },

    async list(path) {
      const folder = folderOf(path);
      const own = await local.list(path);
      return folder === undefined ? own : [...new Set([...own, ...(await there.list(folder))])].sort();
    },

    async *readFolder(path) {
      const folder = folderOf(path);
      const own = new Set(await local.list(path));
      for (const name of own) yield { name, text: undefined };
      if (folder === undefined) return;
      for await (const one of there.each(folder)) if (!own.has(one.name)) yield one;
    },

    lock: (path, waitMs) => lockBoth(path, waitMs, options),
  };
}

const isLocal = async (path: string, { local }: SharedFilesOptions): Promise<boolean> => (await local.held(path)) !== undefined;

/** The path of a document; undefined: this file is never shared. */
function documentOf(path: string, { home, prefix }: SharedFilesOptions): string | undefined {
  const [folder = '', name, ...deeper] = relative(home, path).split(sep);
  if (folder === sharedNotices && name === undefined) return prefix + folder;
  return name !== undefined && deeper.length === 0 && sharedFolders.includes(folder) ? `${prefix}${folder}/${name}` : undefined;
}

/** Does this content belong to a set-up in the database? A note that does not say it belongs where its mailbox file is. */
async function belongsThere(path: string, content: string, options: SharedFilesOptions): Promise<boolean> {
  const { home, prefix, database } = options;
  if (relative(home, path) === sharedNotices) return true;
  const read = parseJsonFile<z.infer<typeof named>>(content, named);
  if (read.kind === 'ok' && read.value.store !== undefined) return read.value.store === 'postgres';
  if (await isLocal(join(home, 'mailboxes', basename(path)), options)) return false;
  return documents(database).has(`${prefix}mailboxes/${basename(path)}`);
}

/** This computer's lock first: the database's then excludes other machines only. undefined after `waitMs`. */
async function lockBoth(path: string, waitMs: number, options: SharedFilesOptions): Promise<(() => Promise<void>) | undefined> {
  const { local, home, prefix, database, clock } = options;
  const end = clock.monotonic() + waitMs;
  const release = await local.lock(path, waitMs);
  if (release === undefined || !(await isSharedLock(path, options))) return release;
  try {
    const there = await database.lock(prefix + relative(home, path), Math.max(0, end - clock.monotonic()));
    if (there !== undefined) {
      return async () => {
        await there();
        await release();
      };
    }
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  return undefined;
}

/** Not the lock of a mailbox that is a file here (`locks/token-SLUG`), nor that of the files of this home alone. */
async function isSharedLock(path: string, options: SharedFilesOptions): Promise<boolean> {
  const [folder, name = ''] = relative(options.home, path).split(sep);
  if (folder !== 'locks') return false;
  const slug = /^(?:token|setup)-(.*)$/.exec(name)?.[1];
  return slug === undefined || !(await isLocal(join(options.home, 'mailboxes', `${slug}.json`), options));
}

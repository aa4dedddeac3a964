import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import * as z from 'zod/mini';
import type { Context, Files, Random } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { errorCode, FileInUse } from '../core/errors.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { parseJsonFile, toJsonFile } from './schemas.ts';

type Ports = Pick<Context, 'env' | 'platform'>;

/** The one folder for everything mailauth writes: MAILAUTH_HOME, else the platform's config folder for `mailauth`. Absolute. Throws `home-unknown`. */
export function resolveHome(ctx: Ports): string {
  const { MAILAUTH_HOME: asked } = ctx.env;
  if (asked) return resolve(asked);
  return ctx.platform === 'win32' ? join(configFolder(ctx), 'mailauth', 'Config') : join(configFolder(ctx), 'mailauth');
}

/** Where programs of this user keep their settings on this platform. Throws `home-unknown`. */
export function configFolder(ctx: Ports): string {
  const { XDG_CONFIG_HOME: xdg = '', APPDATA: appData } = ctx.env;
  if (ctx.platform === 'win32') return appData || join(knownUserFolder(ctx), 'AppData', 'Roaming');
  if (ctx.platform === 'darwin') return join(knownUserFolder(ctx), 'Library', 'Preferences');
  // "All paths set in these environment variables must be absolute" (XDG Base Directory Specification 0.8, "Basics").
  return isAbsolute(xdg) ? xdg : join(knownUserFolder(ctx), '.config');
}

function knownUserFolder(ctx: Ports): string {
  const folder = userFolder(ctx);
  if (folder === undefined) throw problem('home-unknown', {});
  return folder;
}

/**
 * The user's own folder: HOME, else what the system's list of users says. An empty HOME would be the current folder of whoever calls
 * mailauth, so it counts as not set. Undefined in a container whose user is in no list.
 */
export function userFolder({ env, platform }: Ports): string | undefined {
  try {
    if (platform === 'win32') return homedir();
    return isAbsolute(env.HOME ?? '') ? env.HOME : userInfo().homedir;
  } catch {
    return undefined;
  }
}

const schema = z.object({
  /** a later mailauth may have other members here, and says so by a version */
  version: z.exactOptional(z.literal(1)),
  id: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
  /** the key file of the sealed file, which mailauth has made outside of this home */
  keyFile: z.exactOptional(z.string()),
});
type HomeFile = z.infer<typeof schema>;
const homeFile = (home: string): string => join(home, 'home.json');
const lockWaitMs = 5_000;

/** The id of this home, the beginning of its keychain account names; undefined when nothing was stored yet. Writes nothing. */
export const readHomeId = async (files: Pick<Files, 'read'>, home: string): Promise<string | undefined> =>
  (await readHomeFile(files, home))?.id;

/** What stands in `home.json`; undefined where there is none. Throws `home-file-broken`. */
export async function readHomeFile(files: Pick<Files, 'read'>, home: string): Promise<HomeFile | undefined> {
  const file = homeFile(home);
  const text = await guardReads(file, () => files.read(file));
  if (text === undefined) return undefined;
  const read = parseJsonFile(text, schema);
  // With a new id, no secret that is stored under the old one would be found.
  if (read.kind === 'broken') throw problem('home-file-broken', { file, why: read.why, ...defined({ newer: read.newer }) });
  return read.value;
}

/** The id of this home, made at its first use: 16 hex digits. Two processes that begin at once get the same id. */
export async function ensureHomeId(files: Files, random: Pick<Random, 'bytes'>, home: string): Promise<string> {
  const known = await readHomeId(files, home);
  if (known !== undefined) return known;
  return alone(files, home, async () => {
    const made = await readHomeId(files, home);
    if (made !== undefined) return made;
    const id = random.bytes(8).toString('hex');
    await files.writeAtomic(homeFile(home), toJsonFile({ id }));
    return id;
  });
}

/** From now on every command of this home opens its sealed file with this key file, where MAILAUTH_KEY_FILE does not name another. */
export async function recordKeyFile(files: Files, random: Pick<Random, 'bytes'>, home: string, keyFile: string): Promise<void> {
  const id = await ensureHomeId(files, random, home);
  await alone(files, home, () => files.writeAtomic(homeFile(home), toJsonFile({ id, keyFile })));
}

/** Two processes that write `home.json` do so one after the other. */
const alone = <T>(files: Files, home: string, act: () => Promise<T>): Promise<T> =>
  guardWrites(home, async () => {
    const release = await files.lock(`${homeFile(home)}.lock`, lockWaitMs);
    if (release === undefined) throw problem('store-busy', { what: homeFile(home) });
    try {
      return await act();
    } finally {
      await release();
    }
  });

const diskCodes: Readonly<Record<string, string>> = {
  EBUSY: 'it is in use by another program, or a disk is mounted there',
  EINVAL: 'it is a pipe or a device, not a file',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a file stands where a folder should be',
  EEXIST: 'a file stands where a folder should be',
  EISDIR: 'a folder stands where a file should be',
  ENOENT: 'the folder cannot be made',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'links go round in a circle',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files',
  EIO: 'the disk reports an error',
};

/** Why the disk refuses, in words; undefined when the error does not come from the disk. */
export function diskReason(error: unknown): string | undefined {
  return diskCodes[errorCode(error) ?? ''];
}

/** Turns what the disk says about a write under `home` into `home-not-writable`. */
export async function guardWrites<T>(home: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof FileInUse) throw problem('file-in-use', { file: plain(error.path) }, { cause: error });
    const why = diskReason(error);
    if (why === undefined) throw error;
    throw problem('home-not-writable', { home: plain(folderOf(error, home)), why }, { cause: error });
  }
}

/** The folder that the disk spoke of, where it is below `home`. */
function folderOf(error: unknown, home: string): string {
  const path = error instanceof Error && 'path' in error && typeof error.path === 'string' ? dirname(error.path) : home;
  return path.startsWith(join(home, '/')) ? path : home;
}

/** Turns what the disk says about reading `file` into `home-file-broken`. */
export async function guardReads<T>(file: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const why = diskReason(error);
    if (why === undefined) throw error;
    throw problem('home-file-broken', { file: plain(file), why }, { cause: error });
  }
}

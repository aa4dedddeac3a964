import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, FileInUse } from '../../core/errors.ts';
import { heldBy, isOwnLink, makeFolder, ownerInside } from './owners.ts';

/**
 * Puts a whole file in place of another, or nothing: temporary file beside it (0600), fsync, rename, fsync of the folder (0700 when made).
 * Written here because write-file-atomic does not look how much a write took: on a disk that fills up it renames half a file over a whole
 * one.
 */
export async function writeAtomic(path: string, content: string | Uint8Array): Promise<void> {
  makeFolder(dirname(path));
  const target = await targetOf(path);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeWhole(await open(temporary, 'wx', 0o600), content, { folder: dirname(target), inPlaceOf: target });
    await inSpiteOfReaders(() => rename(temporary, target), target);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(target));
}

/**
 * The file behind a link of one's own, so that the file is replaced and not the link. A link of another owner may lead anywhere: it is
 * replaced itself.
 */
async function targetOf(path: string): Promise<string> {
  const held = heldBy(path);
  return held?.link === undefined || !isOwnLink(held) ? path : realpath(path);
}

const mostPauses = 65;

/**
 * Windows refuses to replace a file while another program has it open: a reader, a virus scanner or a backup. That takes moments, so it is tried
 * for six seconds, less than after which a lock counts as dead. Throws `FileInUse`.
 */
export async function inSpiteOfReaders(
  act: () => Promise<void>,
  path: string,
  { platform = process.platform, mostTries = mostPauses }: { readonly platform?: NodeJS.Platform; readonly mostTries?: number } = {},
): Promise<void> {
  for (let pauses = 1; ; pauses += 1) {
    try {
      return await act();
    } catch (error) {
      const code = errorCode(error);
      if (platform !== 'win32' || (code !== 'EPERM' && code !== 'EACCES' && code !== 'EBUSY')) throw error;
      if (pauses > mostTries) throw new FileInUse(path, error);
    }
    await new Promise((done) => setTimeout(done, Math.min(10 * pauses, 100)));
  }
}

/** A new file (0600) that was not there; false when it was. */
export async function createFile(path: string, content: Uint8Array): Promise<boolean> {
  makeFolder(dirname(path));
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    await writeWhole(file, content, { folder: dirname(path) });
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

interface Place {
  readonly folder: string;
  readonly inPlaceOf?: string;
}

async function writeWhole(file: FileHandle, content: string | Uint8Array, place: Place): Promise<void> {
  try {
    await file.writeFile(content);
    // After `sudo mailauth` the service whose home this is must still be able to read the file.
    if (process.getuid?.() === 0) await keepOwner(file, place);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The owner of the file that was there; a new file gets the owner of its folder. */
async function keepOwner(file: FileHandle, { folder, inPlaceOf }: Place): Promise<void> {
  const before = inPlaceOf === undefined ? undefined : await lstat(inPlaceOf).catch(() => undefined);
  const isForAll = ((await stat(folder)).mode & 0o002) !== 0;
  const owner = before?.isFile() === true && !isForAll ? before : ownerInside(folder);
  if (owner !== undefined) await file.chown(owner.uid, owner.gid).catch(() => undefined);
}

/** So that the new name survives a power cut. Windows and some file systems do not support it. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // The file itself is on the disk under its new name.
  }
}

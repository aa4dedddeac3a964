import { randomBytes } from 'node:crypto';
import { type FileHandle, lstat, mkdir, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../../core/errors.ts';

/**
 * Puts a whole file in place of another, or nothing: temporary file beside it (0600), fsync, rename, fsync of the folder (0700 when made).
 * Written here because write-file-atomic does not look how much a write took: on a disk that fills up it renames half a file over a whole
 * one.
 */
export async function writeAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = await targetOf(path);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeWhole(await open(temporary, 'wx', 0o600), content, target);
    await inSpiteOfReaders(() => rename(temporary, target));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(target));
}

/**
 * The file behind a link, so that the file is replaced and not the link. A link that another user put into a folder that is writable for
 * all (/tmp) may lead anywhere; like the kernel (proc(5), fs.protected_symlinks) this does not follow it.
 */
async function targetOf(path: string): Promise<string> {
  const found = await lstat(path).catch(() => undefined);
  const isForeign = found?.isSymbolicLink() === true && found.uid !== process.getuid?.();
  return isForeign && (await isForAll(dirname(path))) ? path : realpath(path).catch(() => path);
}

/** Is the folder writable for all, with the sticky bit that lets only owners remove files? Windows has no such bits. */
async function isForAll(folder: string): Promise<boolean> {
  return process.platform !== 'win32' && ((await stat(folder)).mode & 0o1002) === 0o1002;
}

const mostPauses = 20;

/** Windows refuses to replace a file while a reader or a virus scanner has it open: for moments, so it is tried for a second or two. */
export async function inSpiteOfReaders(act: () => Promise<void>, platform: NodeJS.Platform = process.platform): Promise<void> {
  for (let pauses = 1; ; pauses += 1) {
    try {
      return await act();
    } catch (error) {
      const code = errorCode(error);
      const isInUse = platform === 'win32' && (code === 'EPERM' || code === 'EACCES' || code === 'EBUSY');
      if (!isInUse || pauses > mostPauses) throw error;
    }
    await new Promise((done) => setTimeout(done, Math.min(10 * pauses, 100)));
  }
}

/** A new file (0600) that was not there; false when it was. */
export async function createFile(path: string, content: Uint8Array): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    await writeWhole(file, content, path);
  } catch (error) {
    await unlink(path).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

async function writeWhole(file: FileHandle, content: string | Uint8Array, target: string): Promise<void> {
  try {
    await file.writeFile(content);
    // After `sudo mailauth` the service that owned the file must still be able to read it.
    if (process.getuid?.() === 0) await keepOwner(file, target);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function keepOwner(file: FileHandle, target: string): Promise<void> {
  const before = await lstat(target).catch(() => undefined);
  if (before?.isFile() === true && !(await isForAll(dirname(target)))) await file.chown(before.uid, before.gid).catch(() => undefined);
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

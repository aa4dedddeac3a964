import { open, readdir, rm, unlink } from 'node:fs/promises';
import type { Files } from '../../core/context.ts';
import { errorCode, isMissingFile } from '../../core/errors.ts';
import { decodeText } from '../../core/text.ts';

/** The real disk. Folders 0700, files 0600, writes by temporary file, fsync and rename. */
export const systemFiles: Files = {
  async read(path) {
    const file = await systemFiles.readGuarded(path);
    return file && decodeText(file.bytes);
  },

  async readGuarded(path) {
    const { readGuardedFile } = await import('./guarded-file.ts');
    return readGuardedFile(path);
  },

  async writeAtomic(path, content) {
    const { writeAtomic } = await import('./atomic-write.ts');
    await writeAtomic(path, content);
  },

  async append(path, content) {
    const file = await open(path, 'a', 0o600);
    try {
      await file.appendFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  },

  async create(path, content) {
    const { createFile } = await import('./atomic-write.ts');
    return createFile(path, content);
  },

  async remove(path) {
    try {
      await unlink(path);
      return true;
    } catch (error) {
      if (isMissingFile(error)) return false;
      throw error;
    }
  },

  async removeTree(path) {
    await rm(path, { recursive: true, force: true });
  },

  async list(path) {
    try {
      return (await readdir(path)).sort();
    } catch (error) {
      // A file in place of a folder is a fault, such as a mount that went wrong, and not an empty folder.
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  },

  async held(path) {
    const { heldBy } = await import('./owners.ts');
    return heldBy(path);
  },

  async lock(path, waitMs) {
    const { lock } = await import('./lock.ts');
    return lock(path, waitMs);
  },
};

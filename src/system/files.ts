import { mkdir, readdir, readFile, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Files } from '../core/context.ts';

/** A lock whose holder has not touched it for this long belongs to a dead process. */
const staleMs = 10_000;
const pollMs = 50;

/** The real disk. Folders 0700, files 0600, writes by temporary file, fsync and rename. */
export const systemFiles: Files = {
  async read(path) {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },

  async writeAtomic(path, text) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const { default: writeFileAtomic } = await import('write-file-atomic');
    await writeFileAtomic(path, text, { mode: 0o600 });
  },

  async remove(path) {
    try {
      await unlink(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
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
      if (isMissing(error)) return [];
      throw error;
    }
  },

  async lock(path, waitMs) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const [{ default: lockfile }, { markLock }] = await Promise.all([import('proper-lockfile'), import('./lock-marker.ts')]);
    // A lid closed for an hour: the lock went stale under us. What it guarded is written atomically, so go on.
    const options = { realpath: false, lockfilePath: path, stale: staleMs, onCompromised: () => undefined };
    const marker = await markLock(path);
    try {
      // Its own retries would also wait for a folder that cannot be written to become so.
      for (let left = Math.ceil(waitMs / pollMs); ; left -= 1) {
        try {
          const release = await lockfile.lock(path, options);
          return async () => {
            // Releasing a lock that was taken over reports an error nobody can act on.
            await release().catch(() => undefined);
            await marker.remove();
          };
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ELOCKED')) throw error;
          if (await marker.ageIfAbandoned()) continue;
          if (left <= 0) break;
          await new Promise((resolve) => setTimeout(resolve, pollMs));
        }
      }
    } catch (error) {
      await marker.remove();
      throw error;
    }
    await marker.remove();
    return undefined;
  },
};

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

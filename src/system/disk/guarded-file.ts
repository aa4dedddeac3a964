import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { GuardedFile } from '../../core/context.ts';

/**
 * A small file with who may read it, both of the same opened file, so that nobody exchanges it in between. At once and not by the
 * thread pool: the quick way reads by this, too. Throws as the disk does, and EINVAL for what is no file: a pipe without a writer would
 * hold the whole process, Ctrl-C included.
 */
export function readGuardedFile(path: string): GuardedFile | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(file);
    const { mode, uid } = stat;
    if (!stat.isFile() && !stat.isDirectory()) throw Object.assign(new Error(`EINVAL: not a file, ${path}`), { code: 'EINVAL' });
    return { bytes: readFileSync(file), mode: mode & 0o777, owner: ownerOf(uid) };
  } finally {
    closeSync(file);
  }
}

/** Root reads everything anyway; what it uses may belong to the service it works for. */
function ownerOf(uid: number): GuardedFile['owner'] {
  const me = process.getuid?.();
  if (me === undefined || me === 0 || me === uid) return 'self';
  return uid === 0 ? 'root' : 'other';
}

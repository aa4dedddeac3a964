import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { GuardedFile } from '../../core/context.ts';
import { isMissingFile } from '../../core/errors.ts';

/**
 * A small file, and who may read it. Both come from the same open file, so the file cannot be replaced in between. Synchronous, because
 * `token get` (src/quick) reads with it and the thread pool would cost time. Throws as the disk does, and EINVAL for anything but a file or
 * a folder: a pipe without a writer would block the whole process, Ctrl-C included.
 */
export function readGuardedFile(path: string): GuardedFile | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (isMissingFile(error)) return undefined;
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

/** For root every file counts as its own: root can read everything, and the file may belong to the service that root works for. */
function ownerOf(uid: number): GuardedFile['owner'] {
  const me = process.getuid?.();
  if (me === undefined || me === 0 || me === uid) return 'self';
  return uid === 0 ? 'root' : 'other';
}

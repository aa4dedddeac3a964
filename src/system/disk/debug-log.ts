import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder, ownerInside } from './owners.ts';

/**
 * Adds a line to a log of our own (0600). Nothing is written through a link, nor into a file that another user made or that has a second
 * name: where such a log would be, another user could have a line written into any file of ours. Throws as the disk does.
 */
export function appendLine(path: string, line: string): void {
  makeFolder(dirname(path));
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const log = openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, 0o600);
  try {
    const me = process.getuid?.();
    if (me !== undefined) closeToOthers(log, me, me === 0 ? ownerInside(dirname(path)) : undefined);
    writeSync(log, line);
  } finally {
    closeSync(log);
  }
}

/** `service`: the user in whose home root works. */
function closeToOthers(log: number, me: number, service: { readonly uid: number; readonly gid: number } | undefined): void {
  const { uid, mode, nlink, size } = fstatSync(log);
  const isOwn = uid === me || uid === service?.uid;
  if ((mode & constants.S_IFMT) !== constants.S_IFREG || nlink !== 1 || !isOwn) throw new Error('this is not a log of mailauth');
  if ((mode & 0o077) !== 0) fchmodSync(log, 0o600);
  if (size === 0 && service !== undefined) fchownSync(log, service.uid, service.gid);
}

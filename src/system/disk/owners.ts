import { closeSync, constants, fchownSync, lstatSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname, parse } from 'node:path';
import type { Held } from '../../core/context.ts';
import { errorCode, isMissingFile } from '../../core/errors.ts';

/** Who can change this file or folder. Synchronous for the same reason as `readGuardedFile`. Throws as the disk does. */
export function heldBy(path: string): Held | undefined {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isSymbolicLink()) return { mode: found.mode & 0o7777, uid: found.uid };
    const { mode, uid } = statSync(path);
    return { mode: mode & 0o7777, uid, link: { uid: found.uid, folderUid: statSync(dirname(path)).uid } };
  } catch (error) {
    if (isMissingFile(error)) return undefined;
    throw error;
  }
}

/**
 * May a file be written through the link at this path? Only where the link, the folder that it stands in and the file behind it have one
 * owner: a link of another user may lead anywhere, and root can write everywhere. On Windows every owner is 0.
 */
export const isOwnLink = ({ uid, link }: Held): boolean => link === undefined || (link.uid === uid && link.folderUid === uid);

/**
 * Makes a folder (0700), and those above it. What root makes in the folder of another user belongs to that user, so that a service can use
 * its home after `sudo mailauth`. Throws as the disk does, and ELOOP where a link of another user stands in the way of root.
 */
export function makeFolder(path: string): void {
  const first = makeMissing(path);
  if (process.getuid?.() !== 0) return;
  refuseForeignLinks(path);
  if (first === undefined) return;
  const made: string[] = [];
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) made.unshift(folder);
  for (const folder of made) give(folder);
}

/**
 * Answers the first folder that was not there. Node's own `recursive` tries for ever in /proc and /sys, where Linux answers ENOENT also below
 * a folder that is there.
 */
function makeMissing(path: string): string | undefined {
  const made = tryFolder(path);
  if (made !== 'parent-missing') return made === 'made' ? path : undefined;
  const first = makeMissing(dirname(path));
  if (tryFolder(path) === 'parent-missing')
    throw Object.assign(new Error(`ENOENT: no folder can be made, ${path}`), { code: 'ENOENT', syscall: 'mkdir', path });
  return first ?? path;
}

function tryFolder(path: string): 'made' | 'there' | 'parent-missing' {
  try {
    mkdirSync(path, { mode: 0o700 });
    return 'made';
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && dirname(path) !== path) return 'parent-missing';
    // Where a folder is there, systems answer EEXIST, EISDIR, EPERM or EROFS.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
    return 'there';
  }
}

/** Root alone is in danger: everybody else can write only where the system lets him. A link that root made leads where root wanted. */
function refuseForeignLinks(path: string): void {
  const { uid } = statSync(path);
  for (let at = path; at !== parse(at).root; at = dirname(at)) {
    const link = lstatSync(at);
    if (!link.isSymbolicLink() || link.uid === 0 || link.uid === uid) continue;
    throw Object.assign(new Error(`ELOOP: the link of another user, ${at}`), { code: 'ELOOP' });
  }
}

function give(folder: string): void {
  const owner = ownerInside(dirname(folder));
  if (owner === undefined) return;
  const opened = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchownSync(opened, owner.uid, owner.gid);
  } finally {
    closeSync(opened);
  }
}

/**
 * To whom root gives what it makes in this folder: to the user whose folder it is. Undefined where root keeps it: in its own folders, and
 * where everybody may write (/tmp).
 */
export function ownerInside(folder: string): Pick<Stats, 'uid' | 'gid'> | undefined {
  const { uid, gid, mode } = statSync(folder);
  return uid === 0 || (mode & 0o002) !== 0 ? undefined : { uid, gid };
}

import { stat as look, mkdir as makeFolder, type NoParamCallback, rmdir as removeFolder, rmdirSync, type Stats, utimes } from 'node:fs';
import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import lockfile from 'proper-lockfile';
import { type LockMarker, markLock } from './lock-marker.ts';

/** A lock whose holder has not touched it for this long belongs to a dead process. */
const staleMs = 10_000;
const touchMs = 4_000;
/** From, to: a hundred who wait must leave the processors to the one who works. */
const pollMs = [50, 250] as const;
/**
 * The library keeps the lock fresh and lets go of it; who is dead is decided here. Its own way compares two computers' clocks, and of two
 * processes that find the same dead lock the second removes the first one's new lock.
 */
const neverMs = 10 * 365 * 86_400_000;

/** Locks `path` (a folder that exists while it is held) and answers how to release it; undefined after `waitMs`. Throws as the disk does. */
export async function lock(path: string, waitMs: number): Promise<(() => Promise<void>) | undefined> {
  const end = performance.now() + waitMs;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const marker = await markLock(path);
  try {
    for (let looks = 0; ; looks += 1) {
      const release = await take(path, marker.skewMs);
      if (release !== undefined) {
        await marker.held();
        return async () => {
          // First: a marker without its lock would speak about the next holder. A process killed in between costs others ten seconds.
          await marker.remove();
          // Releasing a lock that was taken over reports an error nobody can act on.
          await release().catch(() => undefined);
        };
      }
      if (await removeDead(path, marker)) continue;
      const leftMs = end - performance.now();
      if (leftMs <= 0) break;
      await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs, pauseMs(looks))));
    }
  } catch (error) {
    await marker.remove();
    throw error;
  }
  await marker.remove();
  return undefined;
}

function pauseMs(looks: number): number {
  const [first, longest] = pollMs;
  return Math.min(first * 1.2 ** looks, longest) * (0.75 + Math.random() / 2);
}

async function take(path: string, skewMs: number): Promise<(() => Promise<void>) | undefined> {
  try {
    return await lockfile.lock(path, {
      realpath: false,
      lockfilePath: path,
      stale: neverMs,
      update: touchMs,
      // A lid closed for an hour: the lock went stale under us. What it guarded is written atomically, so go on.
      onCompromised: () => undefined,
      ...(skewMs === 0 ? {} : { fs: diskAhead(skewMs) }),
    });
  } catch (error) {
    if (hasCode(error, 'ELOCKED')) return undefined;
    throw error;
  }
}

/** One at a time, and looked at again: whoever came first may have a new lock by now. */
async function removeDead(path: string, marker: LockMarker): Promise<boolean> {
  if (!(await isDead(path, marker))) return false;
  const turn = `${path}.takeover`;
  try {
    await mkdir(turn);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    // Its owner was killed within these few lines.
    if (await isOld(turn, marker.skewMs)) await rmdir(turn).catch(() => undefined);
    return false;
  }
  try {
    if (!(await isDead(path, marker))) return false;
    await marker.removeDead();
    await rmdir(path).catch(() => undefined);
    return true;
  } finally {
    await rmdir(turn).catch(() => undefined);
  }
}

const isDead = async (path: string, marker: LockMarker): Promise<boolean> =>
  (await isOld(path, marker.skewMs)) || (await marker.holderIsDead());

/** Also when it is of the future: then the clock was set back since, and a living holder would have touched it. */
async function isOld(path: string, skewMs: number): Promise<boolean> {
  try {
    return Math.abs(Date.now() + skewMs - (await stat(path)).mtimeMs) > staleMs;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** The disk for a computer whose clock differs from the file server's: what it reads and writes of times is translated. */
function diskAhead(skewMs: number) {
  const shifted = (time: Date): Date => new Date(time.getTime() + skewMs);
  return {
    mkdir: makeFolder,
    rmdir: removeFolder,
    rmdirSync,
    stat: (path: string, done: (error: NodeJS.ErrnoException | null, found?: Pick<Stats, 'mtime'>) => void) =>
      look(path, (error, found) => (error === null ? done(null, { mtime: new Date(found.mtime.getTime() - skewMs) }) : done(error))),
    utimes: (path: string, atime: Date, mtime: Date, done: NoParamCallback) => utimes(path, shifted(atime), shifted(mtime), done),
  };
}

const hasCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code;

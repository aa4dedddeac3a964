import { mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../../core/errors.ts';
import { takeFolder } from './lock-folder.ts';
import { type LockMarker, markLock } from './lock-marker.ts';
import { makeFolder } from './owners.ts';

/** A lock whose holder has not touched it for this long belongs to a dead process. */
const staleMs = 10_000;
/** The first pause and the longest: a hundred processes that wait must leave the processors to the one that works. */
const pollMs = [50, 250] as const;

/** Locks `path` (a folder that exists while it is held) and answers how to release it; undefined after `waitMs`. Throws as the disk does. */
export async function lock(path: string, waitMs: number): Promise<(() => Promise<void>) | undefined> {
  const end = performance.now() + waitMs;
  makeFolder(dirname(path));
  const marker = await markLock(path);
  try {
    for (let looks = 0; ; looks += 1) {
      const release = await takeFolder(path, marker.skewMs);
      if (release !== undefined) {
        await marker.held().catch(async (error: unknown) => {
          await release();
          throw error;
        });
        return async () => {
          // The marker goes first: without its lock it would speak about the next holder. Where this process is killed in between, the
          // others wait ten seconds.
          await marker.remove();
          // The lock was taken over by another process and is gone, or the disk fails: nobody can act on it, and the lock gets stale.
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

/** One process at a time removes it, and looks again before: the process that came first may have a new lock by now. */
async function removeDead(path: string, marker: LockMarker): Promise<boolean> {
  if (!(await isDead(path, marker))) return false;
  const turn = `${path}.takeover`;
  try {
    await mkdir(turn);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    // The process that made it was killed within these few lines.
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

/** A lock of the future counts as old too: the clock was set back since, and a living holder would have touched the lock. */
async function isOld(path: string, skewMs: number): Promise<boolean> {
  try {
    return Math.abs(Date.now() + skewMs - (await stat(path)).mtimeMs) > staleMs;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

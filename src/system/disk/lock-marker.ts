import { createHash, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { readdir, readlink, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { errorCode } from '../../core/errors.ts';
import { atExit } from './lock-folder.ts';

/**
 * Tells which processes hold a lock or want it. Each has an empty file beside the lock, `LOCK.by-PID-PLACE-RANDOM`, from before it tries
 * the lock until after it released it; the name ends in `-held` while it holds the lock. So nobody waits until the lock of a process that
 * was killed is stale.
 */
export interface LockMarker {
  /**
   * How far the file system's clock, the one clock that all computers with the same home share, is ahead of this computer's, in
   * milliseconds. Whole seconds, and 0 for less than three seconds, because some file systems count in steps of two.
   */
  readonly skewMs: number;
  /**
   * The process that holds this lock is dead; where no marker says which one holds it, all others that wanted it are dead. A process of
   * another computer or container counts as alive.
   */
  holderIsDead(): Promise<boolean>;
  /** To be called when this process has got the lock. */
  held(): Promise<void>;
  /** Removes the markers of the dead processes of this computer. */
  removeDead(): Promise<void>;
  remove(): Promise<void>;
}

/** Throws as the disk does. */
export async function markLock(lockPath: string): Promise<LockMarker> {
  const here = await place();
  const folder = dirname(lockPath);
  const prefix = `${basename(lockPath)}.by-`;
  const wanted = `${prefix}${process.pid}-${here}-${randomBytes(4).toString('hex')}`;
  let own = join(folder, wanted);
  const skewMs = await skewSeenWriting(own);
  const others = async () => (await readdir(folder)).filter((name) => name.startsWith(prefix) && !name.startsWith(wanted));
  const isDead = (name: string) => {
    const [pid = '', where] = name.slice(prefix.length).split('-');
    return where === here && !isAlive(Number(pid));
  };
  // A marker that stayed would speak about the next holder.
  const forget = atExit(() => {
    for (const name of [wanted, `${wanted}-held`]) rmSync(join(folder, name), { force: true });
  });
  return {
    skewMs,
    async held() {
      const renamed = join(folder, `${wanted}-held`);
      await rename(own, renamed);
      own = renamed;
    },
    async holderIsDead() {
      const names = await others();
      const holders = names.filter((name) => name.endsWith('-held'));
      const known = holders.length > 0 ? holders : names;
      return known.length > 0 && known.every(isDead);
    },
    async removeDead() {
      const dead = (await others()).filter(isDead);
      await Promise.all(dead.map((name) => unlink(join(folder, name)).catch(() => undefined)));
    },
    async remove() {
      await unlink(own).catch(() => undefined);
      forget();
    },
  };
}

async function skewSeenWriting(file: string): Promise<number> {
  const before = Date.now();
  await writeFile(file, '', { mode: 0o600, flag: 'wx' });
  const after = Date.now();
  const { mtimeMs } = await stat(file);
  if (mtimeMs > before - 3_000 && mtimeMs < after + 3_000) return 0;
  return Math.round((mtimeMs - after) / 1000) * 1000;
}

/** Process numbers mean something on one computer and, on Linux, in one container only. */
async function place(): Promise<string> {
  const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
  return createHash('sha256').update(`${hostname()} ${namespace}`).digest('hex').slice(0, 12);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it belongs to another user, and is alive.
    return errorCode(error) !== 'ESRCH';
  }
}

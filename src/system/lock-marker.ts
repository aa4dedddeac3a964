import { createHash, randomBytes } from 'node:crypto';
import { readdir, readlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Who holds a lock, or wants it: one empty file a process beside it, `LOCK.by-PID-PLACE-RANDOM`, there before the lock is tried and
 * gone after it was released. So a lock whose holder was killed need not be waited for until it is stale.
 */
export interface LockMarker {
  /**
   * Everybody else who ever wanted this lock here is dead: then the lock is left to go stale at once, and the next try gets it. One
   * living process, or one of another computer or container, and nothing is touched.
   */
  ageIfAbandoned(): Promise<boolean>;
  remove(): Promise<void>;
}

/** Throws as the disk does. */
export async function markLock(lockPath: string): Promise<LockMarker> {
  const here = await place();
  const own = `${lockPath}.by-${process.pid}-${here}-${randomBytes(4).toString('hex')}`;
  await writeFile(own, '', { mode: 0o600 });
  const prefix = `${basename(lockPath)}.by-`;
  return {
    async ageIfAbandoned() {
      const others = (await readdir(dirname(lockPath))).filter((name) => name.startsWith(prefix) && name !== basename(own));
      const isDead = (name: string) => {
        const [pid = '', where] = name.slice(prefix.length).split('-');
        return where === here && !isAlive(Number(pid));
      };
      if (others.length === 0 || !others.every(isDead)) return false;
      await utimes(lockPath, 0, 0).catch(() => undefined);
      await Promise.all(others.map((name) => unlink(join(dirname(lockPath), name)).catch(() => undefined)));
      return true;
    },
    remove: () => unlink(own).catch(() => undefined),
  };
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
    // EPERM: somebody else's, and alive.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

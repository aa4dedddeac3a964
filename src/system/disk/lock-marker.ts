import { createHash, randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { readdir, readlink, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Who holds a lock, or wants it: one empty file a process beside it, `LOCK.by-PID-PLACE-RANDOM`, there before the lock is tried and
 * gone after it was released; `…-held` while it is held. So a lock whose holder was killed need not be waited for until it is stale.
 */
export interface LockMarker {
  /**
   * How far the file system's clock is ahead of this computer's, in milliseconds: the one clock that all computers share who share a
   * home. Whole seconds, and 0 for less than three (some file systems count in twos).
   */
  readonly skewMs: number;
  /** Whoever holds this lock is dead, or everybody else who ever wanted it. A process of another computer or container counts as alive. */
  holderIsDead(): Promise<boolean>;
  /** this process has the lock */
  held(): Promise<void>;
  /** takes away what the dead of this computer left */
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
  removedAtExit(own);
  return {
    skewMs,
    async held() {
      const before = own;
      own = `${before}-held`;
      removedAtExit(own);
      await rename(before, own);
      leftAtExit.delete(before);
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
      leftAtExit.delete(own);
    },
  };
}

/** The library lets go of a lock when its process exits. A marker that stayed would speak about the next holder. */
const leftAtExit = new Set<string>();

function removedAtExit(file: string): void {
  process.off('exit', removeAll).once('exit', removeAll);
  leftAtExit.add(file);
}

function removeAll(): void {
  for (const file of leftAtExit) {
    try {
      unlinkSync(file);
    } catch {
      // gone already
    }
  }
}

async function skewSeenWriting(file: string): Promise<number> {
  const before = Date.now();
  await writeFile(file, '', { mode: 0o600 });
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
    // EPERM: somebody else's, and alive.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

import { rmdirSync, statSync } from 'node:fs';
import { mkdir, rmdir, stat, utimes } from 'node:fs/promises';
import { errorCode } from '../../core/errors.ts';

const touchMs = 4_000;

/**
 * Makes the folder `path`, which only one process can, and touches it every few seconds until it is released. Answers how to release it;
 * undefined where the folder exists already. Throws as the disk does. (The package proper-lockfile does the same. But it compares the
 * clocks of two computers, and of two processes that find the same dead lock the second removes the new lock of the first one. With both
 * switched off, what follows is all that was left of it.)
 *
 * A process that was suspended may find that another one has taken the lock over: then it leaves the folder alone. The time of the last
 * change, which nobody else sets to the same value, tells whether the folder is still its own.
 */
export async function takeFolder(path: string, skewMs: number): Promise<(() => Promise<void>) | undefined> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw error;
  }
  let touchedMs = await changedMs(path).catch(async (error: unknown) => {
    await rmdir(path);
    throw error;
  });
  const isOwn = async (): Promise<boolean> => (await changedMs(path)) === touchedMs;
  const forget = atExit(() => {
    if (statSync(path).mtimeMs === touchedMs) rmdirSync(path);
  });

  const touch = async (): Promise<void> => {
    if (!(await isOwn())) return;
    const seconds = (Date.now() + skewMs) / 1000;
    await utimes(path, seconds, seconds);
    // Read back, because some file systems keep whole seconds only.
    touchedMs = await changedMs(path);
  };
  let lastTouch: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // A disk that does not answer now may answer the next time.
    lastTouch = lastTouch.then(touch).catch(() => undefined);
  }, touchMs);
  timer.unref();

  return async () => {
    clearInterval(timer);
    await lastTouch;
    if (await isOwn()) await rmdir(path);
    forget();
  };
}

const changedMs = async (path: string): Promise<number> => (await stat(path)).mtimeMs;

const tasks = new Set<() => void>();

/**
 * Runs `task` when the process exits, unless the function that is returned was called before. All tasks share one listener, because Node
 * warns about a leak from the eleventh listener on.
 */
export function atExit(task: () => void): () => void {
  process.off('exit', runAll).once('exit', runAll);
  tasks.add(task);
  return () => {
    tasks.delete(task);
  };
}

function runAll(): void {
  for (const task of tasks) {
    try {
      task();
    } catch {
      // What was to be removed has gone already.
    }
  }
}

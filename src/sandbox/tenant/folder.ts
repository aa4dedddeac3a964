import { join } from 'node:path';
import type { Context, Files } from '../../core/context.ts';
import { MailauthError } from '../../core/errors.ts';
import { problem } from '../../errors/problem.ts';
import { diskReason } from '../../store/home.ts';

type Ports = Pick<Context, 'files' | 'clock' | 'random'>;

/** The sandbox's own folder. Everything in it is worthless, and is made again when it is missing or broken. */
export interface Folder {
  readonly path: string;
  readonly files: Files;
  /** runs one `work` at a time, in this process and among all processes */
  locked<T>(work: () => Promise<T>): Promise<T>;
  file(name: string): string;
}

const lockWaitMs = 15_000;

/** @throws `sandbox-busy`, `sandbox-folder` from `locked` */
export function openFolder(ctx: Ports, path: string): Folder {
  // Within this process a queue is enough. Waiting for our own lock file would cost 50 ms each time.
  let turn: Promise<unknown> = Promise.resolve();

  const take = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      const release = await ctx.files.lock(join(path, 'lock'), lockWaitMs);
      if (release === undefined) throw problem('sandbox-busy', { folder: path });
      try {
        return await work();
      } finally {
        await release();
      }
    } catch (error) {
      const why = error instanceof MailauthError ? undefined : diskReason(error);
      throw why === undefined ? error : problem('sandbox-folder', { folder: path, why }, { cause: error });
    }
  };

  return {
    path,
    files: ctx.files,
    file: (name) => join(path, name),
    locked(work) {
      const mine = turn.then(() => take(work));
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

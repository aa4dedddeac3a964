import type { Context } from '../core/context.ts';
import type { Reporter, Wait } from '../core/run-parts.ts';

/** What a key does while somebody is waited for. */
export interface WaitKey {
  readonly key: string;
  /** its name, where the key itself cannot be seen: `Esc` */
  readonly shown?: string;
  /** follows the key on the screen: `shows the address` */
  readonly does: string;
  press(): void;
}

/**
 * Shows how long `work` has been waited for and takes keys meanwhile; then the line is gone and the terminal is as before. Throws what
 * `work` throws, and `Interrupted` at Ctrl-C, at Ctrl-D and where the terminal is closed. Without a person at a terminal it only says so once.
 */
export async function waitWithKeys<T>(
  { ctx, report }: { readonly ctx: Pick<Context, 'keys'>; readonly report: Reporter },
  wait: Omit<Wait, 'keys'>,
  keys: readonly WaitKey[],
  work: Promise<T>,
): Promise<T> {
  if (!report.takesKeys) {
    report.waiting(wait);
    return work;
  }
  const pressed = ctx.keys.listen((key) => keys.find((one) => one.key === key.toLowerCase())?.press());
  try {
    report.waiting({ ...wait, keys: keys.map(({ key, shown = key, does }) => `${shown} ${does}`) });
    return await Promise.race([work, pressed.over]);
  } finally {
    await pressed.stop();
    report.settle();
  }
}

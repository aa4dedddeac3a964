import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted } from '../../core/errors.ts';
import { endRawMode } from './keys.ts';

/** What a terminal holds for us comes with the next turn of the event loop, over a slow line a little later. */
const listenMs = 20;

/**
 * Keys that were pressed while something ran do not answer the question that follows: they are read and dropped. In raw mode the terminal
 * gives also a line that has no end yet. Throws `Interrupted` where Ctrl-C or Ctrl-D is among them.
 */
export async function dropTypedAhead(input: NodeJS.ReadStream): Promise<void> {
  if (!input.isTTY || input.readableEnded || input.destroyed) return;
  let dropped = '';
  const drop = (chunk: unknown): void => {
    dropped += String(chunk);
  };
  input.setRawMode(true);
  input.on('data', drop).resume();
  try {
    await sleep(listenMs);
  } finally {
    input.off('data', drop);
    await endRawMode(input);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the keys that end a program
  if (/[\u0003\u0004]/.test(dropped)) throw new Interrupted();
}

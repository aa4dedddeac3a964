import { setImmediate as immediate } from 'node:timers/promises';
import type { Keys } from '../../core/context.ts';
import { Exit, Interrupted } from '../../core/errors.ts';

const ctrlC = '\u0003';
const ctrlD = '\u0004';
const ctrlZ = '\u001a';

/**
 * Keys of standard input, in raw mode. There the terminal itself makes no signal of Ctrl-C and Ctrl-Z, and no end of input of Ctrl-D,
 * so that they are read here and do what they do everywhere.
 */
export function terminalKeys(process: NodeJS.Process): Keys {
  return {
    listen(pressed) {
      const input = process.stdin;
      let end: (reason: Interrupted) => void = () => undefined;
      const over = new Promise<never>((_, reject) => {
        end = reject;
      });
      const read = (chunk: unknown): void => {
        const text = String(chunk);
        if (text.includes(ctrlC) || text.includes(ctrlD)) end(new Interrupted());
        else if (text === ctrlZ) suspend(process);
        else if ([...text].length === 1) pressed(text);
      };
      const closed = (): void => end(new Interrupted(Exit.hungUp));
      input.setRawMode(true);
      input.on('data', read).on('end', closed).on('error', closed);
      input.resume();
      return {
        over,
        stop: async () => {
          input.off('data', read).off('end', closed).off('error', closed);
          await endRawMode(input);
        },
      };
    },
  };
}

/**
 * Node stops reading in the turn after `pause`. On Windows, where raw mode ends before that, the next question loses its first key (seen under
 * Wine 8 with Node 22).
 */
export async function endRawMode(input: NodeJS.ReadStream): Promise<void> {
  input.pause();
  await immediate();
  input.setRawMode(false);
}

/** As the terminal does it: the shell gets its terminal back as it was, and `fg` goes on. */
function suspend(process: NodeJS.Process): void {
  process.stdin.setRawMode(false);
  process.once('SIGCONT', () => process.stdin.setRawMode(true));
  process.kill(process.pid, 'SIGTSTP');
}

import { Chalk } from 'chalk';
import type { Context, Output } from '../core/context.ts';

/** Colours and signs for one stream. All output takes them from here: one look, and one place that knows escape sequences. */
export interface Theme {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
  readonly signs: {
    readonly ok: string;
    readonly failed: string;
    readonly warning: string;
    /** what ends soon, in a list */
    readonly ending: string;
    readonly skipped: string;
    readonly busy: string;
  };
}

/** What the key Esc sends. */
export const escapeKey = '\u001b';
/** What an earlier, longer text left to the right of the cursor (ECMA-48: EL 0): only written on a terminal that is redrawn, as the next two. */
export const eraseRest = '\u001b[K';

/** The rest of the screen, from the cursor on (ECMA-48: ED 0). */
export const eraseBelow = '\u001b[J';

/** ECMA-48: CUU 1 */
export const lineUp = '\u001b[A';

/** `--no-color` beats NO_COLOR beats FORCE_COLOR beats "a terminal and TERM not dumb" (no-color.org). Chalk itself ignores NO_COLOR. */
export function wantsColor(env: Context['env'], output: Output, noColorFlag: boolean): boolean {
  if (noColorFlag) return false;
  if (env.NO_COLOR) return false;
  const force = env.FORCE_COLOR;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  return output.isTerminal && env.TERM !== 'dumb';
}

export function themeFor(ctx: Pick<Context, 'env'>, output: Output, noColorFlag: boolean): Theme {
  const chalk = new Chalk({ level: wantsColor(ctx.env, output, noColorFlag) ? 1 : 0 });
  const ascii = ctx.env.TERM === 'dumb' || ctx.env.TERM === 'linux';
  return {
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    red: (text) => chalk.red(text),
    green: (text) => chalk.green(text),
    yellow: (text) => chalk.yellow(text),
    cyan: (text) => chalk.cyan(text),
    signs: ascii
      ? { ok: '+', failed: 'x', warning: '!', ending: '!', skipped: '-', busy: '.' }
      : { ok: '✔', failed: '✖', warning: '!', ending: '▲', skipped: '–', busy: '…' },
  };
}

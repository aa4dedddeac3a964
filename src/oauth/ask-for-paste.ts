import type { Context } from '../core/context.ts';
import { Interrupted } from '../core/errors.ts';
import type { Command } from '../core/next.ts';
import { problem } from '../errors/problem.ts';
import type { AuthorizationAnswer } from './authorization-answer.ts';
import { readPasted } from './paste.ts';

interface Asked {
  readonly ctx: Context;
  readonly redirectUri: string;
  readonly state: string;
  note(text: string): void;
  /** the command that repeats the sign-in */
  readonly again: Command;
  /** pasting is the way that was asked for */
  readonly wanted: boolean;
  /** nothing else can bring the answer */
  readonly alone: boolean;
}

/**
 * Asks until the person pastes a usable address. When piped standard input has ended, only the listener can still answer, and it resolves
 * to undefined; without a listener it throws `paste-ended`.
 */
export async function askForPaste(
  { ctx, redirectUri, state, note, again, wanted, alone }: Asked,
  stop: AbortSignal,
): Promise<AuthorizationAnswer | undefined> {
  let before = '';
  for (;;) {
    const text = await nextPaste(ctx, stop);
    if (text === undefined) {
      if (alone) throw problem('paste-ended', { again });
      if (wanted) {
        note('Standard input has ended, so nothing can be pasted: only a browser on this computer, or a forwarded port, can answer.');
      }
      return undefined;
    }
    if (text.trim() === '') continue;
    // A line break in what was copied ends the first paste early. The rest comes as the next paste and may look like a code of its own.
    const whole = beginsAnew(text) ? text : before + text;
    const read = readPasted(whole, { redirectUri, state });
    if (read.kind === 'answer') return read.answer;
    before = read.unfinished === true ? whole : '';
    note(read.why);
  }
}

/** Undefined at the end of a standard input that is no terminal. */
async function nextPaste(ctx: Context, stop: AbortSignal): Promise<string | undefined> {
  if (ctx.interactive) return ctx.prompts.text({ message: 'Paste the address (or wait for the browser):', wrapped: true }, stop);
  const text = await ctx.readLine(AbortSignal.any([stop, ctx.signal]));
  // Ctrl-D, or a terminal that was closed.
  if (text === undefined && ctx.longInput.isTerminal) throw new Interrupted();
  return text;
}

const beginsAnew = (text: string): boolean => /^\W*(?:https?:|localhost|127\.)/i.test(text);

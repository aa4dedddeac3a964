import type { Context } from '../core/context.ts';
import { Back, Interrupted } from '../core/errors.ts';
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
  /** an empty line goes back to waiting for the browser */
  readonly leaves: boolean;
}

/**
 * Asks until the person pastes a usable address, or leaves the question: undefined. When piped standard input has ended, only the listener can still answer, and it resolves
 * to undefined; without a listener it throws `paste-ended`.
 */
export async function askForPaste(asked: Asked, stop: AbortSignal): Promise<AuthorizationAnswer | undefined> {
  const { ctx, redirectUri, state, note, leaves } = asked;
  let before = '';
  for (;;) {
    const text = await nextPaste(ctx, leaves, stop);
    if (text === undefined) return ended(asked);
    if (text.trim() === '' && leaves) return undefined;
    if (text.trim() === '') continue;
    // A line break in what was copied ends the first paste early. The rest comes as the next paste and may look like a code of its own.
    const whole = beginsAnew(text) ? text : before + text;
    const read = readPasted(whole, { redirectUri, state });
    if (read.kind === 'answer') return read.answer;
    before = read.unfinished === true ? whole : '';
    note(read.why);
  }
}

function ended({ note, again, wanted, alone }: Asked): undefined {
  if (alone) throw problem('paste-ended', { again });
  if (wanted) note('Standard input has ended, so nothing can be pasted: only a browser on this computer, or a forwarded port, can answer.');
}

const pasteOrBack = 'Paste the address (Esc waits for the browser again):';
const pasteOrWait = 'Paste the address (or wait for the browser):';

/** Undefined at the end of a standard input that is no terminal. */
async function nextPaste(ctx: Context, leaves: boolean, stop: AbortSignal): Promise<string | undefined> {
  if (ctx.interactive && leaves) {
    return ctx.prompts.text({ message: pasteOrBack, wrapped: true, back: true }, stop).catch((thrown: unknown) => {
      if (thrown instanceof Back) return '';
      throw thrown;
    });
  }
  if (ctx.interactive) return ctx.prompts.text({ message: pasteOrWait, wrapped: true }, stop);
  const text = await ctx.readLine(AbortSignal.any([stop, ctx.signal]));
  // Ctrl-D, or a terminal that was closed.
  if (text === undefined && ctx.longInput.isTerminal) throw new Interrupted();
  return text;
}

const beginsAnew = (text: string): boolean => /^\W*(?:https?:|localhost|127\.)/i.test(text);

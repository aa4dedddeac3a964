import { createInterface } from 'node:readline';
import { isatty } from 'node:tty';
import type { Clock } from '../../core/context.ts';
import { Back, Exit, Interrupted } from '../../core/errors.ts';
import type { Asked, Prompts } from '../../core/prompts-port.ts';
import type { QuestionPlace } from './numbered.ts';
import { dropTypedAhead } from './typed-ahead.ts';

/** A question that follows another at once may be answered by somebody who types ahead. After work in between, keys that came meanwhile are dropped. */
const atOnceMs = 150;
/** Keys pressed while the program starts are for its first question. */
const startMs = 300;
/** An arrow key begins with the character of Esc, and the rest follows at once, also over a slow line. */
const escapeMs = 60;

/** Questions on stderr, so that stdout stays clean: by Inquirer, loaded with the first question, or plain and numbered. */
export function createPrompts(
  output: NodeJS.WriteStream,
  input: NodeJS.ReadStream,
  processSignal: AbortSignal,
  { plain, clock }: { readonly plain: boolean; readonly clock: Pick<Clock, 'monotonic'> },
): Prompts {
  quietWhenLost(input);
  let lastAnswer = clock.monotonic() + startMs - atOnceMs;

  async function ask<T>(
    { back }: Asked,
    signal: AbortSignal | undefined,
    question: (front: Front, at: QuestionPlace) => Promise<T>,
  ): Promise<T> {
    if (clock.monotonic() - lastAnswer > atOnceMs) await dropTypedAhead(input);
    const front = plain ? await import('./numbered.ts') : await import('./inquirer.ts');
    if (!plain) hearEscape(input);
    const leaving = watchForKeys(input, back === true && !plain);
    try {
      const signals = [processSignal, leaving.signal, ...(signal === undefined ? [] : [signal])];
      return await question(front, {
        input,
        output,
        signal: AbortSignal.any(signals),
        // Read when the question ends: one that is left for the question before it is taken away.
        get clearPromptOnDone() {
          return leaving.signal.reason instanceof Back;
        },
      });
    } catch (error) {
      processSignal.throwIfAborted();
      leaving.signal.throwIfAborted();
      signal?.throwIfAborted();
      // Ctrl-C rejects with ExitPromptError.
      if (error instanceof Error && error.name === 'ExitPromptError') throw new Interrupted();
      throw error;
    } finally {
      leaving.stop();
      lastAnswer = clock.monotonic();
    }
  }

  return {
    text: (q, signal) => ask(q, signal, (front, at) => front.askText(q, at)),
    secret: (q, signal) => ask(q, signal, (front, at) => front.askSecret(q, at)),
    select: (q, signal) => ask(q, signal, (front, at) => front.askChoice(q, at)),
    checkbox: (q, signal) => ask(q, signal, (front, at) => front.askSeveral(q, at)),
    confirm: (q, signal) => ask(q, signal, (front, at) => front.askYesOrNo(q, at)),
  };
}

type Front = typeof import('./inquirer.ts') | typeof import('./numbered.ts');

/** Readline decides at its first interface on a stream how long Esc alone is waited for: half a second, if nobody says otherwise. */
const hears = new WeakSet<NodeJS.ReadStream>();
function hearEscape(input: NodeJS.ReadStream): void {
  if (!input.isTTY || hears.has(input)) return;
  hears.add(input);
  createInterface({ input, terminal: true, escapeCodeTimeout: escapeMs }).close();
}

/** Readline leaves raw mode when its input ends. Where the terminal is gone that fails, and nobody listens for the error of Inquirer's readline. */
function quietWhenLost(input: NodeJS.ReadStream): void {
  if (!input.isTTY) return;
  const setRawMode = input.setRawMode.bind(input);
  input.setRawMode = (mode) => (isatty(0) ? setRawMode(mode) : input);
}

/**
 * Inquirer neither answers nor rejects when its input ends: at Ctrl-D, and where the terminal was closed. This signal aborts then, and at Esc
 * where `back` says that it means something. Both are watched for as keys, because a terminal is in raw mode while it is asked.
 */
function watchForKeys(input: NodeJS.ReadStream, back: boolean): { readonly signal: AbortSignal; stop(): void } {
  const end = new AbortController();
  const pressed = (_text: unknown, key: { readonly ctrl?: boolean; readonly name?: string } | undefined): void => {
    if (key?.ctrl === true && key.name === 'd') end.abort(new Interrupted());
    if (back && key?.name === 'escape') end.abort(new Back());
  };
  // Where the terminal is still there, its end was typed: Ctrl-D at a plain question.
  const closed = (): void => end.abort(new Interrupted(input.isTTY && isatty(0) ? Exit.interrupted : Exit.hungUp));
  if (input.readableEnded || input.destroyed) closed();
  input.on('keypress', pressed).on('end', closed).on('error', closed);
  return {
    signal: end.signal,
    stop: () => {
      input.off('keypress', pressed).off('end', closed).off('error', closed);
    },
  };
}

import { isatty } from 'node:tty';
import type { Prompts } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { Exit, Interrupted } from '../../core/errors.ts';

/** Questions by Inquirer, loaded with the first question, drawn on stderr so that stdout stays clean. */
export function createPrompts(output: NodeJS.WriteStream, input: NodeJS.ReadStream, processSignal: AbortSignal): Prompts {
  quietWhenLost(input);
  type Inquirer = typeof import('./inquirer.ts');
  type PromptContext = { input: NodeJS.ReadStream; output: NodeJS.WriteStream; signal: AbortSignal; clearPromptOnDone?: boolean };

  async function ask<T>(signal: AbortSignal | undefined, question: (inquirer: Inquirer, context: PromptContext) => Promise<T>): Promise<T> {
    const inquirer = await import('./inquirer.ts');
    const leaving = watchForTheEnd(input);
    try {
      const signals = [processSignal, leaving.signal, ...(signal === undefined ? [] : [signal])];
      return await question(inquirer, { input, output, signal: AbortSignal.any(signals) });
    } catch (error) {
      processSignal.throwIfAborted();
      leaving.signal.throwIfAborted();
      signal?.throwIfAborted();
      // Ctrl-C rejects with ExitPromptError.
      if (error instanceof Error && error.name === 'ExitPromptError') throw new Interrupted();
      throw error;
    } finally {
      leaving.stop();
    }
  }

  return {
    text: (q, signal) =>
      ask(signal, (inquirer, context) =>
        inquirer.liveInput(
          { message: q.message, check: q.check ?? anything, wrapped: q.wrapped === true, ...defined({ default: q.default }) },
          context,
        ),
      ),

    secret: (q, signal) =>
      ask(signal, (inquirer, context) => inquirer.liveInput({ message: q.message, masked: true, check: q.check ?? anything }, context)),

    select: (q, signal) =>
      ask(signal, (inquirer, context) =>
        inquirer.select(
          {
            message: q.message,
            choices: q.choices.map((c) => ({ value: c.value, name: c.name, ...defined({ description: c.description }) })),
            ...defined({ default: q.default }),
          },
          context,
        ),
      ),

    checkbox: (q, signal) =>
      ask(signal, (inquirer, context) =>
        inquirer.checkbox(
          {
            message: q.message,
            required: true,
            choices: q.choices.map((c) => ({ value: c.value, name: c.name, checked: q.default.includes(c.value) })),
          },
          context,
        ),
      ),

    confirm: (q, signal) => ask(signal, (inquirer, context) => inquirer.confirm({ message: q.message, default: q.default }, context)),
  };
}

/** Readline leaves raw mode when its input ends. Where the terminal is gone that fails, and nobody listens for the error of Inquirer's readline. */
function quietWhenLost(input: NodeJS.ReadStream): void {
  if (!input.isTTY) return;
  const setRawMode = input.setRawMode.bind(input);
  input.setRawMode = (mode) => (isatty(0) ? setRawMode(mode) : input);
}

/**
 * Inquirer neither answers nor rejects when its input ends: at Ctrl-D, and where the terminal was closed. This signal aborts then. Ctrl-D is
 * watched for as a key, because a terminal is in raw mode while it is asked.
 */
function watchForTheEnd(input: NodeJS.ReadStream): { readonly signal: AbortSignal; stop(): void } {
  const end = new AbortController();
  const pressed = (_text: unknown, key: { readonly ctrl?: boolean; readonly name?: string } | undefined): void => {
    if (key?.ctrl === true && key.name === 'd') end.abort(new Interrupted());
  };
  const closed = (): void => end.abort(new Interrupted(Exit.hungUp));
  if (input.readableEnded || input.destroyed) closed();
  input.on('keypress', pressed).on('end', closed).on('error', closed);
  return {
    signal: end.signal,
    stop: () => {
      input.off('keypress', pressed).off('end', closed).off('error', closed);
    },
  };
}

const anything = (): true => true;

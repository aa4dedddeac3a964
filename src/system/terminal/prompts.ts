import type { Prompts } from '../../core/context.ts';
import { defined } from '../../core/defined.ts';
import { Interrupted } from '../../core/errors.ts';

/** Questions by Inquirer, loaded with the first question, drawn on stderr so that stdout stays clean. */
export function createPrompts(output: NodeJS.WriteStream, input: NodeJS.ReadStream, processSignal: AbortSignal): Prompts {
  type Inquirer = typeof import('./inquirer.ts');
  type PromptContext = { input: NodeJS.ReadStream; output: NodeJS.WriteStream; signal: AbortSignal; clearPromptOnDone?: boolean };

  async function ask<T>(signal: AbortSignal | undefined, question: (inquirer: Inquirer, context: PromptContext) => Promise<T>): Promise<T> {
    const inquirer = await import('./inquirer.ts');
    const either = signal === undefined ? processSignal : AbortSignal.any([processSignal, signal]);
    try {
      return await question(inquirer, { input, output, signal: either });
    } catch (error) {
      if (signal?.aborted && !processSignal.aborted) throw signal.reason;
      // Ctrl-C and a closed terminal both reject with ExitPromptError; an aborted prompt with AbortPromptError.
      if (error instanceof Error && (error.name === 'ExitPromptError' || error.name === 'AbortPromptError')) throw new Interrupted();
      throw error;
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

const anything = (): true => true;

import type { Command } from 'commander';
import type { ExitCode, MailauthError } from '../core/errors.ts';
import type { Theme } from '../ui/theme.ts';
import type { Session } from './session.ts';

/** What a command came to. `data` is the JSON, `text` what a person reads on stdout. */
export interface Outcome {
  readonly data?: unknown;
  /** a plain string where no colours are needed, so that nothing is loaded for them */
  readonly text?: string | ((theme: Theme) => string);
  /** the command has a result and is red all the same: status that warns, tests that fail */
  readonly error?: MailauthError;
  /** over the error's own: monitoring systems have exit codes of their own */
  readonly exit?: ExitCode;
  /** fields beside `data` are for programs that read this output directly: never wrapped in an envelope */
  readonly unwrapped?: boolean;
}

interface Invocation {
  readonly args: readonly string[];
  /** commander's parsed options, to be read by the command's own schema */
  readonly flags: unknown;
}

/** One command: declared with commander, run with a session. Loaded only when it is called. */
export interface CommandModule {
  /** declares arguments, options and examples; must not do anything else */
  configure(command: Command): Command;
  run(invocation: Invocation, session: Session): Promise<Outcome>;
}

/** Examples lead the help of every command (clig.dev). */
export function examples(command: Command, lines: readonly string[]): Command {
  return command.addHelpText('before', `Examples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`);
}

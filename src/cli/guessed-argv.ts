import type { Command as CommanderCommand } from 'commander';

/**
 * What was probably meant where commander refuses the words: the nearest flag in place of an unknown one, and the mailbox where this command
 * takes it (`--mailbox` of setup, a word of its own elsewhere). Undefined where nothing is near.
 */
export function guessedArgv(
  rest: readonly string[],
  message: string,
  command: CommanderCommand,
): { why?: string; argv: string[] } | undefined {
  const hasFlag = command.options.some((option) => option.long === '--mailbox');
  const hasArgument = command.registeredArguments.some((argument) => argument.name() === 'mailbox');
  const [, unknown, meant] = /unknown option '(--?[\w-]+)[^']*'(?:\s+\(Did you mean (--[\w-]+)\?\))?/.exec(message) ?? [];
  if (unknown === '--mailbox' && hasArgument && !rest.some((word) => word.startsWith('--mailbox=-'))) {
    return { why: 'Here the mailbox stands without --mailbox.', argv: rest.flatMap((word) => withoutFlag(word)) };
  }
  if (meant !== undefined) return { argv: rest.map((word) => word.replace(/^--?[\w-]+/, (flag) => (flag === unknown ? meant : flag))) };
  const stray = command.args.find((word) => word.includes('@'));
  if (unknown === undefined && hasFlag && !hasArgument && stray !== undefined) {
    return {
      why: 'Here the mailbox is the value of --mailbox.',
      argv: rest.flatMap((word) => (word === stray ? ['--mailbox', word] : [word])),
    };
  }
  return undefined;
}

const withoutFlag = (word: string): readonly string[] => (word === '--mailbox' ? [] : [word.replace(/^--mailbox=/, '')]);

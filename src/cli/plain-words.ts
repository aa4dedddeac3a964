import type { Command as CommanderCommand } from 'commander';
import { flagNameOf, plain } from '../core/text.ts';

/** What was wrong with the words of a command, for a person. Commander says it in the words of a parser, and repeats a value that may be a secret. */
export function plainWords(message: string, name: string, command: CommanderCommand): string {
  const said = plain(message.replace(/^error: /, ''), 400);
  const [, option, near] = /^unknown option '(.*?)'(?:\s*\(Did you mean (?:one of )?(--[\w-]+)(?:, --[\w-]+)*\?\))?$/s.exec(said) ?? [];
  if (option !== undefined) {
    const flag = flagNameOf(option);
    // commander calls `--json=1` unknown, because `--json` is a flag without a value.
    if (command.options.some(({ long }) => long === flag)) return `${flag} takes no value`;
    return `mailauth ${name} has no option ${flag}${near === undefined ? '' : `; ${near} is the nearest`}`;
  }
  const [, flag] = /^option '(?:-\w, )?(--[\w-]+)[^']*' argument missing$/.exec(said) ?? [];
  if (flag !== undefined) return `${flag} needs a value behind it`;
  const [, missing] = /^missing required argument '([\w-]+)'$/.exec(said) ?? [];
  if (missing !== undefined) return `mailauth ${name} needs the ${missing} behind it`;
  if (!/^too many arguments/.test(said)) return `${said[0]?.toUpperCase() ?? ''}${said.slice(1)}`;
  const takes = command.registeredArguments.map((argument) => argument.name());
  const accepted = takes.length === 0 ? 'nothing' : `only the ${takes.join(' and the ')}`;
  // The words themselves are left out: one of them may be a secret.
  return `mailauth ${name} takes ${accepted} behind it, and got ${command.args.length} word${command.args.length === 1 ? '' : 's'}`;
}

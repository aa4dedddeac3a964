import type { MailauthError } from '../core/errors.ts';
import { line, mailauth } from '../core/next.ts';
import { anyOf, nearest, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { globalValueFlags } from '../session/globals.ts';
import { aliases, commands } from './tree.ts';

/**
 * The command's one or two words, and everything else in its order. Global flags may stand before the command.
 *
 * Commander could find nested commands by itself and suggest the nearest one. But then it would have to be loaded first: the list of commands,
 * the version and a wrong word are answered without it. And its suggestion knows the words of one level only, not `token get`.
 */
export function findCommand(argv: readonly string[]): { words: string[]; rest: string[] } {
  const words: string[] = [];
  const rest: string[] = [];
  const isPrefix = (candidate: readonly string[]) => commands.some((c) => `${c.name} `.startsWith(`${candidate.join(' ')} `));
  const isWhole = () => commands.some((c) => c.name === words.join(' '));
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i] ?? '';
    if (word.startsWith('-')) {
      rest.push(word);
      const value = argv[i + 1];
      if (words.length === 0 && globalValueFlags.has(word) && value !== undefined) {
        rest.push(value);
        i += 1;
      }
    } else if (words.length === 0 || (!isWhole() && isPrefix([...words, word])))
      words.push(words.length === 0 ? (aliases.get(word) ?? word) : word);
    else rest.push(word);
  }
  return { words, rest };
}

/** `rest`: what stands behind a word that begins a command of two. */
export function unknownCommand(words: readonly string[], rest: readonly string[] = []): MailauthError {
  const word = plain(words.join(' '), 60);
  const [first, ...others] = commands.filter((c) => c.name.startsWith(`${words[0]} `)).map((c) => c.name);
  if (first !== undefined) {
    const subcommands = [first, ...others].map((name) => name.split(' ')[1] ?? '');
    const wrong = rest.find((one) => !one.startsWith('-'));
    if (wrong !== undefined) {
      const meant = nearest(wrong, subcommands) ?? subcommands.find((one) => one.startsWith(wrong));
      const suggestion = mailauth(commands.find((c) => c.name === `${words[0]} ${meant}`)?.name ?? first, { help: true });
      return problem('usage', { message: `There is no command "${words[0]} ${plain(wrong, 60)}"`, help: suggestion });
    }
    return problem('usage', {
      message: `mailauth ${words[0]} needs a subcommand: ${anyOf(subcommands)}`,
      help: mailauth(first, { help: true }),
    });
  }
  if (word === '') return problem('usage', { message: 'No command was given', help: line`mailauth --help` });
  const near = nearest(
    word,
    commands.map((c) => c.name),
  );
  const suggestion = commands.find((c) => c.name === near)?.name;
  return problem('unknown-command', { word, ...(suggestion === undefined ? {} : { suggestion: mailauth(suggestion, { help: true }) }) });
}

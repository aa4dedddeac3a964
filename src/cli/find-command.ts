import type { MailauthError } from '../core/errors.ts';
import { line, mailauth } from '../core/next.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { globalValueFlags } from '../session/globals.ts';
import { commands } from './tree.ts';

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
    } else if (words.length === 0 || (!isWhole() && isPrefix([...words, word]))) words.push(word);
    else rest.push(word);
  }
  return { words, rest };
}

export function unknownCommand(words: readonly string[]): MailauthError {
  const word = plain(words.join(' '), 60);
  const [first, ...others] = commands.filter((c) => c.name.startsWith(`${words[0]} `)).map((c) => c.name);
  if (first !== undefined) {
    const subcommands = [first, ...others].map((name) => name.split(' ')[1]);
    return problem('usage', {
      message: `mailauth ${words[0]} needs a subcommand: ${subcommands.join(' or ')}`,
      help: mailauth(first, { help: true }),
    });
  }
  if (word === '') return problem('usage', { message: 'No command was given', help: line`mailauth --help` });
  const near = commands.map((c) => ({ name: c.name, distance: editDistance(word, c.name) })).sort((a, b) => a.distance - b.distance)[0];
  return problem('unknown-command', {
    word,
    ...(near !== undefined && near.distance <= 2 ? { suggestion: mailauth(near.name, { help: true }) } : {}),
  });
}

/** Levenshtein, for "did you mean". */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

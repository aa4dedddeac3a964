import { join } from 'node:path';
import { findCommand } from '../../src/cli/find-command.ts';
import { catalogue } from '../../src/errors/catalogue/catalogue.ts';
import { shellWords } from '../unit/docs/shell-words.ts';
import type { Envelope, Machine } from './command-line.ts';
import { hurried } from './tenant.ts';

/** One command on the way: its words without what only the walk adds, and how it ended. */
interface Step {
  readonly words: readonly string[];
  readonly error: Envelope['error'];
  readonly exit: number;
}

/** Where the first command leads that each error prints; `complaints` are empty where every one of them was right. */
export interface Walk {
  readonly steps: readonly Step[];
  readonly complaints: readonly string[];
}

const mostSteps = 3;

/**
 * A person who does only what is printed first, while nothing else changes: the command is read as a shell reads it and run with the same
 * fault. It must be one of this program's, be accepted, mean the same set-up, and not lead back to where it came from.
 */
export async function followFirst(pc: Machine, begin: string, fault: string): Promise<Walk> {
  const steps: Step[] = [];
  const complaints: string[] = [];
  let words: readonly string[] | undefined = begin.split(' ');
  while (words !== undefined && steps.length <= mostSteps) {
    const ran = await pc.run([...words.map((word) => inHome(word, pc)), '--yes', '--json', '--fault', fault, '--timeout', '1'], hurried());
    const { error, data } = lastOf(ran.out);
    steps.push({ words, error, exit: ran.exit });
    const from = words;
    const said = words.join(' ');
    if (error !== undefined && ran.exit === 2) complaints.push(`"${said}" is not accepted: ${error.title}`);
    if (data?.alreadySetUp === true) complaints.push(`"${words.join(' ')}" says that all is well, and mends nothing`);
    if (error === undefined) break;
    words = firstCommand(error.next);
    if (words === undefined) break;
    complaints.push(...unfit(words, steps[0]?.words ?? []).map((why) => `"${said}" leads to "${words?.join(' ')}": ${why}`));
    if (isTemporary(error)) break;
    const next = words;
    if (steps.slice(0, -1).some((earlier) => isSame(next, earlier.words)) && !isSame(next, from)) {
      complaints.push(`"${said}" leads back to "${next.join(' ')}"`);
      break;
    }
    if (!isRunnable(words)) break;
  }
  return { steps, complaints };
}

/** What a command writes is written in the home of the test. */
export const inHome = (word: string, { home }: Pick<Machine, 'home'>): string =>
  /^\w+\.(?:html|md|json)$/.test(word) ? join(home, word) : word;

/** The words of the first command among what is printed, as a shell reads them. */
export function firstCommand(next: readonly string[]): readonly string[] | undefined {
  const printed = next.map((line) => /(?:^|[:;] )(mailauth .*)$/s.exec(line)?.[1]).find((line) => line !== undefined);
  return printed === undefined ? undefined : shellWords(printed);
}

export const lastOf = (out: string): Envelope => JSON.parse(out.trimEnd().split('\n').at(-1) ?? '{}');

/** Then the same command later is right. */
const isTemporary = (error: NonNullable<Envelope['error']>): boolean =>
  error.exit === 5 || (catalogue as Readonly<Record<string, { readonly retryHelps?: unknown }>>)[error.code]?.retryHelps === true;

/** Help, a file that a person must have made, and what only a person can say are not run. */
const isRunnable = (words: readonly string[]): boolean =>
  words[0] !== 'help' && !words.includes('--help') && !words.some((word) => /^[A-Z][A-Z-]{2,}$|^-$/.test(word) || word.endsWith('.pem'));

const flagValue = (words: readonly string[], flag: string): string | undefined => words[words.indexOf(flag) + 1 || words.length];

/** What the command lacks of what was in force. */
function unfit(words: readonly string[], first: readonly string[]): readonly string[] {
  if (words[0] === 'help' || words[0] === 'doctor' || words[0] === 'explain' || words.includes('--help')) return [];
  const mailbox = first.find((word) => word.includes('@'));
  const product = flagValue(first, '--for');
  return [
    ...(findCommand([...words]).words.length === 0 ? ['no command'] : []),
    ...(words.includes('--sandbox') ? [] : ['--sandbox is lost']),
    ...(mailbox === undefined || words.includes(mailbox) ? [] : [`${mailbox} is lost`]),
    ...(product === undefined || flagValue(words, '--for') === product ? [] : [`--for ${product} is lost`]),
  ];
}

const isSame = (one: readonly string[], other: readonly string[]): boolean => bare(one) === bare(other);

/** Without what the walk itself adds. */
const bare = (words: readonly string[]): string =>
  [...words]
    .filter((word, i) => !['--yes', '--json', '--timeout'].includes(word) && words[i - 1] !== '--timeout')
    .sort()
    .join(' ');

import { protocolWords } from '../core/cloud.ts';

/** The flags whose value is a list of protocols; of `keepalive` also the word `all`. */
const listFlags: ReadonlySet<string> = new Set(['--protocols', '--test']);

/**
 * The arguments with each list of protocols as one word. PowerShell takes `imap,smtp` without quotes for an array, and hands its members
 * over as words of their own or, between quotes, as one word with spaces (about_Parsing, about_Operators). A flag that is given again adds
 * to its list.
 */
export function withWholeLists(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--');
  const [read, behind] = end < 0 ? [argv, []] : [argv.slice(0, end), argv.slice(end)];
  const made: string[] = [];
  const places = new Map<string, number>();
  const left = [...read];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [flag = '', inline] = word.split(/=(.*)/s);
    if (!listFlags.has(flag) || (inline === undefined && isFlag(left[0]))) {
      made.push(word);
      continue;
    }
    const values = [inline ?? left.shift() ?? ''];
    while (isOfList(left[0])) values.push(left.shift() ?? '');
    const earlier = places.get(flag);
    if (earlier === undefined) places.set(flag, made.push(flag, listed(values)) - 1);
    else made[earlier] = listed([made[earlier] ?? '', ...values]);
  }
  return [...made, ...behind];
}

const isFlag = (word: string | undefined): boolean => word === undefined || word.startsWith('-');

const isOfList = (word: string | undefined): boolean =>
  word !== undefined &&
  word !== '' &&
  word.split(/[\s,]+/).every((part) => part === 'all' || protocolWords.some((known) => known === part));

const listed = (values: readonly string[]): string =>
  values
    .flatMap((value) => value.trim().split(/[\s,]+/))
    .filter((one, _, all) => one !== '' || all.length === 1)
    .join(',');

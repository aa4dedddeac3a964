/** What a word of the command line may be. `mailboxes` and `files` are known to the caller and to the shell. */
export type Values = readonly string[] | 'mailboxes' | 'files' | 'free';

export interface FlagSpec {
  /** `--for` */
  readonly flag: string;
  readonly summary: string;
  /** undefined: it takes no value */
  readonly values?: Values;
}

export interface CommandSpec {
  /** `token get` */
  readonly name: string;
  readonly summary: string;
  /** its arguments, in order */
  readonly args: readonly Values[];
  readonly flags: readonly FlagSpec[];
}

export interface Candidate {
  readonly value: string;
  readonly summary: string;
}

/** What the shell offers for the last of `words`; `mailboxes` and `files` are still to be looked up. */
interface Completion {
  readonly candidates: readonly Candidate[];
  readonly also?: 'mailboxes' | 'files';
  /** `--for=` in front of a value that is joined to its flag */
  readonly prefix: string;
}

const nothing: Completion = { candidates: [], prefix: '' };

/** Pure. `words` are those after `mailauth`; the last one is still being typed and may be empty. */
export function complete(commands: readonly CommandSpec[], globals: readonly FlagSpec[], words: readonly string[]): Completion {
  const current = words.at(-1) ?? '';
  const { command, typed, args, open } = readWords(commands, globals, words.slice(0, -1));
  const flags = [...(command?.flags ?? []), ...globals.filter((g) => command?.flags.every((f) => f.flag !== g.flag) ?? true)];
  if (open !== undefined) return offer(open.values ?? 'free', '');
  const joined = /^(--[\w-]+)=/.exec(current);
  if (joined !== null) return offer(flags.find((f) => f.flag === joined[1])?.values ?? 'free', joined[0]);
  if (current.startsWith('-')) return { candidates: flags.map(({ flag, summary }) => ({ value: flag, summary })), prefix: '' };
  if (command === undefined) return nextWord(commands, typed);
  return offer(command.args[args] ?? 'free', '');
}

interface Read {
  readonly command: CommandSpec | undefined;
  /** the first word of a command of two words: `token` */
  readonly typed: readonly string[];
  /** arguments given so far */
  readonly args: number;
  /** the flag whose value comes next */
  readonly open: FlagSpec | undefined;
}

function readWords(commands: readonly CommandSpec[], globals: readonly FlagSpec[], words: readonly string[]): Read {
  const typed: string[] = [];
  let command: CommandSpec | undefined;
  let args = 0;
  let open: FlagSpec | undefined;
  for (const word of words) {
    if (open !== undefined) open = undefined;
    else if (word.startsWith('-')) open = [...(command?.flags ?? []), ...globals].find((f) => f.flag === word && f.values !== undefined);
    else if (command !== undefined) args += 1;
    else {
      typed.push(word);
      command = commands.find((c) => c.name === typed.join(' '));
    }
  }
  return { command, typed, args, open };
}

/** The first or second word of a command: `token` once, then `get` and `show`. */
function nextWord(commands: readonly CommandSpec[], typed: readonly string[]): Completion {
  const found = new Map<string, string>();
  for (const { name, summary } of commands) {
    const parts = name.split(' ');
    const word = parts[typed.length];
    if (word === undefined || typed.some((t, i) => parts[i] !== t)) continue;
    found.set(word, found.has(word) ? `${found.get(word)}; ${summary}` : summary);
  }
  return { candidates: [...found].map(([value, summary]) => ({ value, summary })), prefix: '' };
}

function offer(values: Values, prefix: string): Completion {
  if (values === 'free') return nothing;
  if (values === 'mailboxes' || values === 'files') return { candidates: [], also: values, prefix };
  return { candidates: values.map((value) => ({ value, summary: '' })), prefix };
}

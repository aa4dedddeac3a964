import { defaultCloud, isCloudName } from './cloud.ts';
import type { CommandName } from './command-name.ts';
import type { Again, Command, Line, NextStep } from './next.ts';
import { type Shell, shellWord } from './shell/quoting.ts';
import { lineFor, wordOf } from './shell-lines.ts';
import { printable } from './text.ts';

/** What a line must go by to work where it is read: the shell, and what the operator said of the whole run. */
export interface Surroundings {
  readonly shell: Shell;
  /** the programs of Windows are there, and those of Unix are not */
  readonly onWindows?: boolean;
  /** HOME is not set, empty or `/`, so that no folder of the user's own can be named by it */
  readonly withoutHome?: boolean;
  readonly sandbox?: boolean;
  /** `usgov`, given as a flag */
  readonly cloud?: string | undefined;
  /** path of the file that describes the cloud, given as a flag */
  readonly cloudFile?: string | undefined;
  /** a variable names the cloud, and goes on naming it */
  readonly cloudIsSet?: boolean;
  /** only where they were given as flags: store, folder of mailauth, key file */
  readonly store?: string | undefined;
  readonly home?: string | undefined;
  readonly keyFile?: string | undefined;
  /** the product that was given as a flag */
  readonly for?: string | undefined;
  /** the command that is running, with its flags; without words that may hold a secret */
  readonly running?: Command | undefined;
}

/** `home`: the folder of mailauth and the key file of its sealed file */
type InForce = 'cloud' | 'store' | 'sandbox' | 'for' | 'home';

const all: readonly InForce[] = ['for', 'cloud', 'store', 'sandbox', 'home'];
const own: readonly InForce[] = ['store', 'sandbox', 'home'];

/** Which of what is in force changes what a command does; the others are left out of it. */
const goesBy: Readonly<Record<Command['name'], readonly InForce[]>> = {
  setup: all,
  login: all,
  logout: all,
  'token get': all,
  'token show': all,
  test: all,
  'secret show': ['for', ...own],
  'secret rotate': all,
  export: ['for', ...own],
  'exchange show': all,
  'exchange apply': all,
  'exchange undo': all,
  keepalive: ['cloud', ...own],
  send: all,
  agent: ['cloud', ...own],
  status: own,
  doctor: ['cloud', ...own],
  explain: ['cloud', 'sandbox', 'home'],
  guide: ['cloud', 'sandbox', 'home'],
  'store move': ['sandbox', 'home'],
  'store restore': ['sandbox', 'home'],
  'store init': ['home'],
  'store keygen': [],
  completion: [],
  sandbox: ['home'],
  help: [],
} satisfies Record<CommandName | 'help', readonly InForce[]>;

/** The one place where a next step becomes text. Free of control characters. */
export function shown(step: NextStep, here: Surroundings): string {
  return whole(step, here).text;
}

/** All of them, each once. */
export const allShown = (steps: readonly NextStep[], here: Surroundings): readonly string[] => [
  ...new Set(steps.map((step) => shown(step, here))),
];

export interface ShownStep {
  readonly text: string;
  /** a command or a line: it must stay whole, so that it can be copied. A sentence may be folded. */
  readonly copied: boolean;
}

/** The same, each with whether it is there to be copied. */
export function stepsShown(steps: readonly NextStep[], here: Surroundings): readonly ShownStep[] {
  const byText = new Map(steps.map((step) => whole(step, here)).map((one) => [one.text, one]));
  return [...byText.values()];
}

function whole(step: NextStep, here: Surroundings): ShownStep {
  if (typeof step === 'string') return { text: printable(step), copied: false };
  if (step.kind !== 'again') return copied(step, step, here);
  if (here.running === undefined) return { text: printable(sentenceOf(step, here.shell)), copied: false };
  return copied(runningAgain(step, here.running), step, here);
}

function copied(step: Command | Line, { lead, note }: Pick<Again, 'lead' | 'note'>, here: Surroundings): ShownStep {
  const { text, notes } = step.kind === 'line' ? lineText(step, here) : commandText(step, here);
  const remarks = [...notes, ...(note === undefined ? [] : [note])];
  const remark = remarks.length === 0 ? '' : remarkFor(remarks.join('; '), here.shell);
  return { text: printable(`${lead === undefined ? '' : `${lead}: `}${text}${remark}`), copied: true };
}

/** Where nobody knows which command is meant, as in `explain`. */
function sentenceOf({ flags, note, lead }: Again, shell: Shell): string {
  const given = Object.entries(flags).map(([flag, value]) =>
    optionOf(flag, value)
      .map((word) => shellWord(word, shell))
      .join(' '),
  );
  const words = `Run the same command again${given.length === 0 ? '' : `, with ${given.join(' ')}`}`;
  return `${lead === undefined ? '' : `${lead}: `}${words}${note === undefined ? '' : ` (${note})`}`;
}

function runningAgain({ flags, without, words }: Again, command: Command): Command {
  const kept = Object.entries(command.flags).filter(([flag]) => !without.includes(flag));
  return { ...command, words: words ?? command.words, flags: { ...Object.fromEntries(kept), ...flags } };
}

interface Text {
  readonly text: string;
  readonly notes: readonly string[];
}

/** A comment behind a line. cmd has only `rem`, a command, whose words must not act. */
const remarkFor = (remark: string, shell: Shell): string =>
  shell === 'cmd' ? `   & rem ${remark.replace(/[&|<>^%"]/g, ' ')}` : `   # ${remark}`;

function lineText(step: Line, { shell, onWindows = false }: Surroundings): Text {
  const { texts, values } = lineFor(step, shell, onWindows);
  const words = values.map((value) => wordOf(value, shell));
  return { text: texts.map((text, i) => text + (words[i] ?? '')).join(''), notes: [] };
}

function commandText(command: Command, here: Surroundings): Text {
  const { shell } = here;
  const { flags, notes } = withWhatIsInForce(command, here);
  const options = Object.entries(flags)
    .flatMap(([flag, value]) => optionOf(flag, value))
    .map((word) => shellWord(word, shell));
  // The other shells have no variable for one command.
  if (command.home !== undefined && shell !== 'posix') options.push('--home', wordOf({ inHome: command.home }, shell));
  const words = command.words.map((word) => shellWord(word, shell));
  // Behind two hyphens a word that begins like a flag is none (POSIX Utility Syntax Guideline 10).
  const behind = command.words.some((word) => word.startsWith('-')) ? [...options, '--', ...words] : [...words, ...options];
  return { text: `${beforeIt(command, here)}${['mailauth', command.name, ...behind].join(' ')}`, notes };
}

function optionOf(flag: string, value: string | true): readonly string[] {
  if (value === true) return [`--${flag}`];
  return value.startsWith('-') && value !== '-' ? [`--${flag}=${value}`] : [`--${flag}`, value];
}

function beforeIt({ waitSeconds, home }: Command, { shell, withoutHome }: Surroundings): string {
  const pause = waitSeconds === undefined ? '' : pauseOf(waitSeconds)[shell];
  if (home === undefined || shell !== 'posix') return pause;
  return `${pause}MAILAUTH_HOME="${withoutHome === true ? '$(mktemp -d /var/tmp/mailauth.XXXXXX)' : `$HOME/${home}`}" `;
}

/** The pause of cmd wants a console; `>nul` hides its count. */
const pauseOf = (seconds: number): Readonly<Record<Shell, string>> => ({
  posix: `sleep ${seconds}; `,
  powershell: `Start-Sleep ${seconds}; `,
  cmd: `timeout /t ${seconds} /nobreak >nul & `,
});

function withWhatIsInForce(command: Command, here: Surroundings): { flags: Command['flags']; notes: readonly string[] } {
  const flags: Record<string, string | true> = { ...command.flags };
  const notes: string[] = [];
  const goes = (what: InForce): boolean => goesBy[command.name].includes(what) && !(what in flags) && flags.help !== true;
  if (goes('for') && here.for !== undefined && !(command.name === 'setup' && here.for === 'this-computer')) flags.for = here.for;
  if (here.sandbox === true && goesBy[command.name].includes('sandbox') && flags.help !== true) {
    // The sandbox is a cloud of its own: it goes with no other.
    delete flags.cloud;
    delete flags['cloud-file'];
    flags.sandbox = true;
  } else if (goes('cloud') && !('cloud-file' in flags) && !('sandbox' in flags)) notes.push(...addCloud(command, here, flags));
  if (goes('store') && here.store !== undefined) flags.store = here.store;
  if (goes('home')) {
    if (here.keyFile !== undefined) flags['key-file'] ??= here.keyFile;
    if (here.home !== undefined && command.home === undefined) flags.home = here.home;
  }
  return { flags, notes };
}

/** What the operator said of the cloud goes before what the command itself is about: a flag wins over the mailbox file there, too. */
function addCloud({ cloud }: Command, here: Surroundings, flags: Record<string, string | true>): readonly string[] {
  if (here.cloudFile !== undefined) flags['cloud-file'] = here.cloudFile;
  else if (here.cloud !== undefined) flags.cloud = here.cloud;
  else if (here.cloudIsSet === true) return [];
  else if (cloud?.name === 'sandbox') flags.sandbox = true;
  else if (cloud !== undefined && cloud.name !== defaultCloud) {
    if (!isCloudName(cloud.name)) return [`give the file that describes the cloud "${cloud.name}" with --cloud-file`];
    flags.cloud = cloud.name;
  }
  return [];
}

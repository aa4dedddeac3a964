import type { Cloud } from './cloud.ts';
import type { CommandName } from './command-name.ts';
import { defined } from './defined.ts';
import type { Shell } from './shell/quoting.ts';

/** What can stand around a step: a few words before it, and a remark behind it. */
interface Around {
  readonly lead?: string;
  readonly note?: string;
}

/** A command of mailauth as data. `core/shown.ts` turns it into a line for the shell in use, with what is in force there. */
export interface Command extends Around {
  readonly kind: 'command';
  readonly name: CommandName | 'help';
  readonly words: readonly string[];
  /** by their names without hyphens in front; true: a flag without a value */
  readonly flags: Readonly<Record<string, string | true>>;
  /** flags that must not be taken over from the command that is running */
  readonly without?: readonly string[];
  /** the cloud that it is about */
  readonly cloud?: Pick<Cloud, 'name'>;
  /** a pause before it that a server asked for */
  readonly waitSeconds?: number;
  /** MAILAUTH_HOME of this one command: a folder in the user's home */
  readonly home?: string;
}

/** The command that is running, once more, with these flags. */
export interface Again extends Around {
  readonly kind: 'again';
  readonly flags: Command['flags'];
  /** by their names without hyphens in front: flags that are left out, even where they were given */
  readonly without: readonly string[];
  /** its words, where they are not those that were given */
  readonly words?: readonly string[];
}

/** A file in the user's own folder, which each shell names by a variable of its own. */
export interface InHome {
  readonly inHome: string;
}

/** A line of another program to copy: texts with values between them, each value one word for the shell. */
export interface Line extends Around {
  readonly kind: 'line';
  readonly texts: readonly string[];
  readonly values: readonly (string | InHome)[];
  /** how another shell says it */
  readonly otherwise?: Partial<Readonly<Record<Exclude<Shell, 'posix'> | 'windows', Line>>>;
  readonly after?: true; // it is run after the step before it, and not in place of it
}

/** What to do next. A string is a sentence: it is never copied. */
export type NextStep = string | Command | Again | Line;

type FlagValues = Readonly<Record<string, string | number | boolean | Pick<Cloud, 'name'> | undefined>>;

/**
 * A command of mailauth, written as it is typed: `mailauth('secret rotate', mailbox, { for: product, finish: true })`. Words and flags that
 * are undefined, and flags that are false, are left out; one that is false is not taken over from the command that is running either.
 * `cloud` takes a `Cloud`, which is not named where nothing need be said.
 */
export function mailauth(name: Command['name'], ...rest: readonly (string | undefined | FlagValues)[]): Command {
  const words = rest.filter((one) => typeof one === 'string');
  // `explain` fills what nobody knows with a list of one word: that is left out, too.
  const given: FlagValues = Object.assign({}, ...rest.filter((one) => typeof one === 'object' && !Array.isArray(one)));
  const { cloud } = given;
  const without = namesOfFalse(given);
  return {
    kind: 'command',
    name,
    words,
    flags: flagsOf(given),
    ...(without.length === 0 ? {} : { without }),
    ...(typeof cloud === 'object' ? { cloud: { name: cloud.name } } : {}),
  };
}

const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const namesOfFalse = (flags: FlagValues): readonly string[] =>
  Object.keys(flags)
    .filter((key) => flags[key] === false)
    .map(flagName);

function flagsOf(given: FlagValues): Command['flags'] {
  const flags: Record<string, string | true> = {};
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === false || typeof value === 'object') continue;
    flags[flagName(key)] = value === true ? true : String(value);
  }
  return flags;
}

/** The same command with more flags; one that is false is taken away. */
export function plus(command: Command, more: FlagValues): Command {
  const taken = namesOfFalse(more);
  const kept = Object.entries(command.flags).filter(([flag]) => !taken.includes(flag));
  const without = [...(command.without ?? []), ...taken];
  return { ...command, flags: { ...Object.fromEntries(kept), ...flagsOf(more) }, ...(without.length === 0 ? {} : { without }) };
}

/** The command that is running, once more: `again({ timeout: 60 })`. A flag that is false is left out, even where it was given. */
export const again = (flags: FlagValues = {}, words?: readonly string[]): Again => ({
  kind: 'again',
  flags: flagsOf(flags),
  without: namesOfFalse(flags),
  ...defined({ words }),
});

/** A line of another program: its values are quoted for the shell, as in `` line`chmod 600 ${file}` ``. */
export const line = (texts: readonly string[], ...values: readonly (string | InHome)[]): Line => ({
  kind: 'line',
  texts: [...texts],
  values,
});

/** `lead: the step` */
export const led = <S extends Command | Again | Line>(lead: string, step: S): S => ({ ...step, lead });

/** A remark behind the step, as a comment of the shell. */
export const noted = <S extends Command | Again | Line>(step: S, note: string): S => ({ ...step, note });

/**
 * During a set-up: `mailauth login` does not know the mailbox yet, so the command that goes on with the set-up (`goOn`) stands in its place,
 * with its other flags.
 */
export function inPlaceOfLogin(step: NextStep, goOn: Command): NextStep {
  if (typeof step === 'string' || step.kind !== 'command' || step.name !== 'login') return step;
  const { force: _, ...flags } = step.flags;
  const { lead, note, waitSeconds } = step;
  return {
    ...goOn,
    flags: { ...goOn.flags, ...flags },
    ...defined({ lead, note, waitSeconds }),
  };
}

/** What is known of the set-up in hand: a `mailauth setup` without it would begin another one. */
export interface KnownOfSetup {
  readonly mailbox?: string | undefined;
  readonly for?: string | undefined;
  readonly clientId?: string | undefined;
}

/** A `mailauth setup` with what it leaves out of the set-up in hand. */
export function ofSetup(step: NextStep, known: KnownOfSetup): NextStep {
  if (typeof step === 'string' || step.kind !== 'command' || step.name !== 'setup' || step.flags.help === true) return step;
  const own = flagsOf({
    mailbox: known.mailbox,
    for: known.for === 'this-computer' ? undefined : known.for,
    // Only an app that exists already has a secret to bring.
    clientId: 'client-secret-file' in step.flags ? known.clientId : undefined,
  });
  return { ...step, flags: whichFirst({ ...own, ...step.flags }) };
}

/** Which set-up it is stands first. */
const whichFirst = (flags: Command['flags']): Command['flags'] => ({ ...defined({ mailbox: flags.mailbox, for: flags.for }), ...flags });

/** Commands that mean one set-up of a mailbox. */
const ofOneSetup: readonly Command['name'][] = [
  'login',
  'logout',
  'token get',
  'token show',
  'test',
  'secret show',
  'secret rotate',
  'export',
  'exchange show',
  'exchange apply',
  'exchange undo',
];

/** A command about this mailbox, with the product that it was about: the mailbox may be set up for several. */
export function ofProduct(step: NextStep, { mailbox, for: product }: { readonly mailbox: string; readonly for: string }): NextStep {
  if (typeof step === 'string' || step.kind !== 'command' || !ofOneSetup.includes(step.name)) return step;
  const isOther = product === 'this-computer' || 'for' in step.flags || !step.words.includes(mailbox);
  return isOther ? step : { ...step, flags: { for: product, ...step.flags } };
}

/** Flags of `mailauth setup` that a flag of the next command takes the place of. */
const inPlaceOf: Readonly<Record<string, readonly string[]>> = {
  'client-id': ['register'],
  register: ['client-id', 'client-secret-file', 'certificate', 'certificate-key-file', 'shared-app'],
  'client-type': ['client-secret-file'],
  'client-secret-file': ['certificate', 'certificate-key-file'],
  'sign-in': ['qr', 'password-file'],
  access: ['client-type', 'sign-in', 'sign-in-as', 'redirect-uri', 'client-secret-file', 'certificate', 'certificate-key-file'],
  fresh: ['resume'],
  cloud: ['cloud-file', 'sandbox'],
  'cloud-file': ['cloud', 'sandbox'],
  sandbox: ['cloud', 'cloud-file'],
};

/** How `setup` prints is not part of what is set up; of `login` only how a person signs in is kept. */
const notKept = ['json', 'quiet', 'verbose', 'no-color'];
/** Flags of `setup` that the journal of an interrupted set-up does not have. */
const noAnswers = ['yes', 'no-input', 'no-test', 'handover', 'reveal', 'exchange', 'timeout', 'password-file', 'qr'];
const loginFlags = ['force', 'sign-in', 'sign-in-as', 'qr'];

/** A `mailauth setup` or `login` for the same mailbox and product as the one that is running, with the flags that were given there. */
export function withFlagsGiven(step: NextStep, given: Command | undefined): NextStep {
  if (typeof step === 'string' || step.kind !== 'command' || step.flags.help === true) return step;
  if (given?.name !== step.name || (step.name !== 'setup' && step.name !== 'login')) return step;
  if (!isSameSet(step.flags, given.flags)) return step;
  if (lower(step.words[0] ?? given.words[0]) !== lower(given.words[0] ?? step.words[0])) return step;
  const dropped = [...(step.without ?? []), ...Object.keys(step.flags).flatMap((flag) => inPlaceOf[flag] ?? [])];
  // `--resume` finds the answers in the journal; what is no answer is not there.
  const keptOfSetup = (flag: string) => ('resume' in step.flags ? noAnswers.includes(flag) : !notKept.includes(flag));
  const isKept = (flag: string) => (step.name === 'login' ? loginFlags.includes(flag) : keptOfSetup(flag));
  const kept = Object.entries(given.flags).filter(([flag]) => isKept(flag) && !dropped.includes(flag));
  if (step.name === 'login' || 'resume' in step.flags)
    return { ...step, flags: { ...step.flags, ...Object.fromEntries(kept.filter(([flag]) => !(flag in step.flags))) } };
  return { ...step, flags: whichFirst({ ...Object.fromEntries(kept), ...step.flags }) };
}

const lower = (address: string | true | undefined): string => String(address).toLowerCase();

const isSameSet = (next: Command['flags'], given: Command['flags']): boolean =>
  lower(next.mailbox ?? given.mailbox) === lower(given.mailbox ?? next.mailbox) &&
  (next.for ?? given.for ?? 'this-computer') === (given.for ?? next.for ?? 'this-computer');

/** Without the words and flags that only stand for a value which nobody knows. */
export function withoutBlanks(step: NextStep, isBlank: (value: string) => boolean): NextStep {
  if (typeof step === 'string' || step.kind !== 'command') return step;
  const flags = Object.entries(step.flags).filter(([, value]) => value === true || !isBlank(value));
  return { ...step, words: step.words.filter((word) => !isBlank(word)), flags: Object.fromEntries(flags) };
}

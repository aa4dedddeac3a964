import type { Command as CommanderCommand } from 'commander';
import * as z from 'zod/mini';
import { type CloudName, cloudNames, defaultCloud, isCloudName } from '../core/cloud.ts';
import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import type { MailauthError } from '../core/errors.ts';
import { again, mailauth, type NextStep } from '../core/next.ts';
import { shells } from '../core/shell/quoting.ts';
import { shellNamed } from '../core/shell/shell-in-use.ts';
import { setVariable } from '../core/shell-lines.ts';
import { type ChosenStore, chosenStores, isChosenStore } from '../core/stores.ts';
import { anyOf, nearest } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import { refuseUnexpanded } from './unexpanded-path.ts';

/** The flags that every command has, and the environment variables behind them (docs/contract.md, "Global options" and "Environment"). A flag wins. */
export interface Globals {
  readonly json: boolean;
  readonly noInput: boolean;
  /** --no-input itself, which --json only implies: with it standard input is not read for an answer, either */
  readonly inputOff?: boolean;
  readonly yes: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly noColor: boolean;
  readonly cloud?: CloudName;
  readonly cloudFile?: string;
  /** only when it was asked for */
  readonly store?: ChosenStore;
  readonly sandbox: boolean;
  readonly fault?: string;
  /** given by `--timeout`; sets each network step and the wait for the browser */
  readonly timeoutMs?: number;
}

export const defaultStepTimeoutMs = 20_000;
export const defaultBrowserTimeoutMs = 600_000;

/** Global flags that take a value: the command word is found by skipping these. */
export const globalValueFlags: ReadonlySet<string> = new Set([
  '--cloud',
  '--cloud-file',
  '--store',
  '--home',
  '--key-file',
  '--timeout',
  '--fault',
]);

export function addGlobalOptions(command: CommanderCommand): CommanderCommand {
  return command
    .optionsGroup('Global options:')
    .option('--json', 'one JSON object on stdout (setup and login: one a line); implies --no-input')
    .option('--no-input', 'never ask; a missing answer ends with exit 3 and names its flag')
    .option('--yes', 'take every default and agree')
    .option('--quiet', 'no progress and no notes')
    .option('--verbose', 'say more')
    .option('--no-color', 'no colours')
    .option('--cloud <name>', `${anyOf(cloudNames)} (default: ${defaultCloud})`)
    .option('--cloud-file <file>', 'a cloud described in a JSON file (see: mailauth help clouds)')
    .option('--store <name>', `${anyOf(chosenStores)} (see: mailauth help stores)`)
    .option('--home <folder>', 'the folder of mailauth, in place of MAILAUTH_HOME')
    .option('--key-file <file>', 'the key file of the sealed file and the database, in place of MAILAUTH_KEY_FILE')
    .option('--sandbox', 'use the built-in stand-in for Microsoft 365: nothing real is touched')
    .option('--fault <name>', 'with --sandbox: misbehave (see: mailauth sandbox --list-faults)')
    .option('--timeout <seconds>', 'limit of each network step and of the wait for the browser (default: 20 and 600)');
}

const flags = z.object({
  json: z.optional(z.boolean()),
  input: z.optional(z.boolean()),
  yes: z.optional(z.boolean()),
  quiet: z.optional(z.boolean()),
  verbose: z.optional(z.boolean()),
  color: z.optional(z.boolean()),
  cloud: z.optional(z.string()),
  cloudFile: z.optional(z.string()),
  store: z.optional(z.string()),
  home: z.optional(z.string()),
  keyFile: z.optional(z.string()),
  sandbox: z.optional(z.boolean()),
  fault: z.optional(z.string()),
  timeout: z.optional(z.string()),
});

/** Reads the parsed flags beside the environment. Throws `value-invalid`, `sandbox-with-cloud`, `cloud-unknown`. */
export function readGlobals(raw: unknown, env: Context['env'], alwaysSandbox = false): Globals {
  const f = flags.parse(raw);
  checkPlaces(f);
  refuseUnexpanded({ '--home': f.home, '--key-file': f.keyFile, '--cloud-file': f.cloudFile }, env);
  checkShell(env);
  const sandbox = f.sandbox === true || alwaysSandbox;
  checkTogether(f, sandbox);
  // --sandbox overrides the environment's cloud; a flag beats both variables.
  const fromEnv = sandbox || f.cloud !== undefined || f.cloudFile !== undefined ? {} : cloudFromEnv(env);
  const cloud = readCloudName(f.cloud ?? fromEnv.cloud);
  const cloudFile = f.cloudFile ?? fromEnv.cloudFile;
  const store = readStoreName(f.store ?? (env.MAILAUTH_STORE || undefined));
  const timeoutMs =
    f.timeout === undefined
      ? undefined
      : readWhole('--timeout', f.timeout, { unit: 'seconds', minimum: 1, example: again({ timeout: 300 }) }) * 1000;
  return {
    json: f.json === true,
    noInput: f.json === true || f.input === false,
    ...(f.input === false ? { inputOff: true } : {}),
    yes: f.yes === true,
    quiet: f.quiet === true,
    verbose: f.verbose === true,
    noColor: f.color === false,
    sandbox,
    ...defined({ cloud, cloudFile, store, fault: f.fault, timeoutMs }),
  };
}

/**
 * The variables that `--home` and `--key-file` stand for. They are read before everything else, because the folder says where even the log is:
 * what stands behind `--` is no flag, and a flag that has no value is refused when the command is parsed.
 */
export function placesGiven(argv: readonly string[]): Readonly<Record<string, string>> {
  const end = argv.indexOf('--');
  const read = end < 0 ? argv : argv.slice(0, end);
  const places: Record<string, string> = {};
  for (const [i, word] of read.entries()) {
    const [flag = '', inline] = word.split(/=(.*)/s);
    const name = placeVariables.get(flag);
    const value = inline ?? read[i + 1];
    if (name !== undefined && value) places[name] = value;
  }
  return places;
}

const placeVariables: ReadonlyMap<string, string> = new Map([
  ['--home', 'MAILAUTH_HOME'],
  ['--key-file', 'MAILAUTH_KEY_FILE'],
]);

/** An empty path would be the current folder. */
function checkPlaces({ home, keyFile }: z.infer<typeof flags>): void {
  const empty = home?.trim() === '' ? '--home' : keyFile?.trim() === '' ? '--key-file' : undefined;
  if (empty !== undefined) throw problem('usage', { message: `${empty} was given without a path`, help: mailauth('help', 'environment') });
}

function checkShell({ MAILAUTH_SHELL: shell }: Context['env']): void {
  if (!shell || shellNamed(shell) !== undefined) return;
  const next = setVariable('MAILAUTH_SHELL', shells[0]);
  throw problem('value-invalid', { what: 'shell in MAILAUTH_SHELL', value: shell, why: `It is one of ${shells.join(', ')}.`, next });
}

/** What cannot stand together. */
function checkTogether(f: z.infer<typeof flags>, sandbox: boolean): void {
  if (sandbox && (f.cloud !== undefined || f.cloudFile !== undefined)) throw problem('sandbox-with-cloud', {});
  if (f.cloud !== undefined && f.cloudFile !== undefined) {
    throw problem('usage', { message: '--cloud and --cloud-file are two answers to one question', help: mailauth('help', 'clouds') });
  }
  if (f.fault === undefined || sandbox) return;
  throw problem('usage', { message: '--fault needs --sandbox', help: again({ sandbox: true }) });
}

function cloudFromEnv(env: Context['env']): { cloud?: string; cloudFile?: string } {
  if (env.MAILAUTH_CLOUD_FILE) return { cloudFile: env.MAILAUTH_CLOUD_FILE };
  return env.MAILAUTH_CLOUD ? { cloud: env.MAILAUTH_CLOUD } : {};
}

/** Wrong usage: `--store`, MAILAUTH_STORE or `store move` names no store that an operator may choose. */
export function unknownStore(value: string, instead: (store: string) => NextStep = (store) => again({ store })): MailauthError {
  const meant = nearest(value, chosenStores);
  const next = meant === undefined ? mailauth('help', 'stores') : instead(meant);
  return problem('value-invalid', { what: 'store', value, why: `Stores are: ${chosenStores.join(', ')}.`, next });
}

/** Read before the command runs: an unknown cloud is wrong usage (exit 2) even for a command that needs none. */
function readCloudName(value: string | undefined): CloudName | undefined {
  if (value === undefined) return undefined;
  const name = value.toLowerCase();
  if (isCloudName(name)) return name;
  throw problem('cloud-unknown', { cloud: value, known: cloudNames });
}

function readStoreName(value: string | undefined): ChosenStore | undefined {
  if (value === undefined) return undefined;
  if (isChosenStore(value)) return value;
  throw unknownStore(value);
}

/** A whole number from a flag, at least `minimum`; `example` is a command that is right. Throws `value-invalid` (exit 2). */
export function readWhole(flag: string, value: string, of: { unit: 'seconds' | 'days'; minimum: number; example: NextStep }): number {
  const number = Number(value);
  if (/^\d{1,7}$/.test(value) && number >= of.minimum) return number;
  throw problem('value-invalid', {
    what: `number of ${of.unit}`,
    value,
    why: `${flag} takes a whole number from ${of.minimum} up.`,
    next: of.example,
  });
}

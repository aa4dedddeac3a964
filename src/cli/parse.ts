import type { Command as CommanderCommand } from 'commander';
import type { Context } from '../core/context.ts';
import { defined } from '../core/defined.ts';
import { type Command, mailauth } from '../core/next.ts';
import { flagNameOf, looksLikePath, mayBeSecret, plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { CommandModule } from '../session/command.ts';
import type { Globals } from '../session/globals.ts';
import { refuseUnexpanded } from '../session/unexpanded-path.ts';
import { guessedArgv } from './guessed-argv.ts';
import { withWholeLists } from './list-words.ts';
import { plainWords } from './plain-words.ts';
import type { CommandEntry } from './tree.ts';

export interface Parsed {
  readonly module: CommandModule;
  readonly args: readonly string[];
  readonly flags: unknown;
  /** the command as it was given */
  readonly given: Command;
}

/** Lets commander read what is left of argv for this one command; a text is the help that was asked for. Throws `usage`. */
export async function parse(entry: CommandEntry, module: CommandModule, rest: readonly string[], ctx: Context): Promise<Parsed | string> {
  const [{ Command, CommanderError }, { addGlobalOptions }] = await Promise.all([import('commander'), import('../session/globals.ts')]);
  const read = (argv: readonly string[]) => {
    const command = new Command(`mailauth ${entry.name}`).description(`${entry.summary[0]?.toUpperCase() ?? ''}${entry.summary.slice(1)}.`);
    let help = '';
    command.exitOverride().configureOutput({
      writeOut: (text) => {
        help += text;
      },
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(Math.max(ctx.out.columns, 80), 120),
    });
    module.configure(command);
    // `-h` of sendmail is a number, and a caller who gives it wants no help.
    const isTaken = command.options.some(({ short }) => short === '-h');
    addGlobalOptions(command).helpOption(isTaken ? '--help' : '-h, --help', 'this help');
    try {
      command.parse([...argv], { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      return { command, help, failed: error };
    }
    return { command };
  };
  const whole = withWholeLists(rest);
  const { command, help: text, failed } = read(whole);
  const help = mailauth(entry.name, { help: true });
  if (failed === undefined) {
    const forgotten = withoutOwnValue(command);
    if (forgotten !== undefined) throw problem('usage', { message: `${forgotten.flag} needs a value before ${forgotten.next}`, help });
    refuseUnexpanded(pathsGiven(command), {});
    return { module, args: command.args, flags: command.opts(), given: asGiven(entry, command) };
  }
  if (failed.exitCode === 0) return text;
  const guess = guessedArgv(whole, failed.message, command);
  const meant = guess === undefined ? undefined : read(guess.argv);
  const message = plainWords(failed.message, entry.name, command);
  if (guess === undefined || meant === undefined || meant.failed !== undefined || withoutOwnValue(meant.command) !== undefined)
    throw problem('usage', { message, help });
  // commander suggests the nearest letters, which are another flag than the one that is meant.
  const title = guess.why === undefined ? message : message.replace(/; --[\w-]+ is the nearest$/, '');
  throw problem('usage', { message: title, help, meant: asGiven(entry, meant.command), ...defined({ why: guess.why }) });
}

/** The values of flags that take a path, by their flags. What may be a secret in place of its file's name is left out: the refusal repeats it. */
const pathsGiven = (command: CommanderCommand): Readonly<Record<string, string>> =>
  Object.fromEntries(
    command.options.flatMap((option) => {
      const value: unknown = command.getOptionValue(option.attributeName());
      const flag = option.long ?? option.flags;
      if (typeof value !== 'string' || !/<(?:file|folder|path)>/.test(option.flags)) return [];
      return /secret|password/.test(flag) && !looksLikePath(value) ? [] : [[flag, value]];
    }),
  );

/** The flags that every command takes, beside the environment. Throws `value-invalid` and what `readGlobals` throws. */
export async function globalsOf({ flags }: Parsed, entry: CommandEntry, { env }: Pick<Context, 'env'>): Promise<Globals> {
  const { readGlobals } = await import('../session/globals.ts');
  const globals = readGlobals(flags, env, entry.name === 'sandbox');
  if (globals.fault !== undefined) await knownFault(globals.fault);
  return globals;
}

/**
 * The text that `explain` reads may hold a secret, so it is left out; so is the secret itself where somebody gives it in place of the file's
 * name. A fault of the sandbox is rehearsed once: the command that mends it goes without.
 */
function asGiven({ name }: CommandEntry, command: CommanderCommand): Command {
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli' && name !== 'fault';
  const given = command.options.filter((option) => isGiven(option.attributeName()));
  const flags = given.map((option): [string, string | true] => {
    const value: unknown = command.getOptionValue(option.attributeName());
    const flag = (option.long ?? '').replace(/^--/, '');
    if (typeof value !== 'string') return [flag, true];
    return [flag, mayBeSecret(flag, value) ? '-' : value];
  });
  return { kind: 'command', name, words: name === 'explain' ? [] : command.args, flags: Object.fromEntries(flags) };
}

/** Checked before the command runs: an unknown fault is exit 2 also for a command that opens no sandbox. */
async function knownFault(name: string): Promise<void> {
  const { isFault } = await import('../sandbox/faults/faults.ts');
  if (isFault(name)) return;
  throw problem('value-invalid', {
    what: 'fault',
    value: name,
    why: 'The sandbox does not know it.',
    next: mailauth('sandbox', { listFaults: true }),
  });
}

/** A flag whose value was forgotten: commander takes the next flag for it, with whatever secret that one brings. `-` is standard input. */
function withoutOwnValue(command: CommanderCommand): { readonly flag: string; readonly next: string } | undefined {
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (typeof value !== 'string' || !/^-[^\d]/.test(value)) continue;
    return { flag: option.long ?? option.flags, next: plain(flagNameOf(value), 40) };
  }
  return undefined;
}

import type { Context } from '../core/context.ts';
import { plain } from '../core/text.ts';
import { problem } from '../errors/problem.ts';
import type { CommandModule } from '../session/command.ts';
import type { Globals } from '../session/globals.ts';
import type { CommandEntry } from './tree.ts';

export interface Parsed {
  readonly globals: Globals;
  readonly module: CommandModule;
  readonly args: readonly string[];
  readonly flags: unknown;
}

/** Lets commander read what is left of argv for this one command; a text is the help that was asked for. Throws `usage`. */
export async function parse(entry: CommandEntry, module: CommandModule, rest: readonly string[], ctx: Context): Promise<Parsed | string> {
  const [{ Command, CommanderError }, { addGlobalOptions, readGlobals }] = await Promise.all([
    import('commander'),
    import('../session/globals.ts'),
  ]);
  const command = new Command(`mailauth ${entry.name}`).description(`${entry.summary[0]?.toUpperCase() ?? ''}${entry.summary.slice(1)}.`);
  let help = '';
  command.exitOverride().configureOutput({
    writeOut: (text) => {
      help += text;
    },
    writeErr: () => undefined,
    getOutHelpWidth: () => Math.min(Math.max(ctx.out.columns, 80), 120),
  });
  addGlobalOptions(module.configure(command)).helpOption('-h, --help', 'this help');
  try {
    command.parse([...rest], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return help;
    throw problem('usage', { message: plain(withoutValue(error.message)), help: `mailauth ${entry.name} --help` });
  }
  const flags: unknown = command.opts();
  const globals = readGlobals(flags, ctx.env, entry.name === 'sandbox');
  if (globals.fault !== undefined) await knownFault(globals.fault);
  return { globals, module, args: command.args, flags };
}

/** Before the command: a fault that nobody knows is exit 2 also where no sandbox is opened. */
async function knownFault(name: string): Promise<void> {
  const { isFault } = await import('../sandbox/faults/faults.ts');
  if (isFault(name)) return;
  throw problem('value-invalid', {
    what: 'fault',
    value: name,
    why: 'The sandbox does not know it.',
    next: 'mailauth sandbox --list-faults',
  });
}

/** commander repeats an unknown `--flag=value` whole; the value may be a secret under a name that we do not know. */
const withoutValue = (message: string): string => message.replace(/^error: /, '').replace(/('--?[\w-]+)=[^']*(')/s, '$1$2');

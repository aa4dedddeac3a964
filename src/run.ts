import { type CommandEntry, commands, rootHelp, topics } from './cli.ts';
import type { CommandModule, Outcome } from './commands/command.ts';
import { type Globals, globalValueFlags } from './commands/globals.ts';
import { modules } from './commands/modules.ts';
import type { Session } from './commands/session.ts';
import type { Context } from './core/context.ts';
import { Interrupted, MailauthError } from './core/errors.ts';
import { Exit, type ExitCode } from './core/exit.ts';
import type { Reporter } from './core/report.ts';
import { plain } from './core/text.ts';
import { problem } from './diagnose/problem.ts';

/**
 * One run of the program: argv (without node and script) to exit code. Everything it writes goes to `ctx.out` and `ctx.err`.
 * Walk a command from here: find its entry in `cli.ts`, load its file, let commander read the flags, open a session, run, render.
 */
export async function run(argv: readonly string[], ctx: Context, version: string): Promise<ExitCode> {
  const wantsJson = argv.includes('--json');
  let command = 'mailauth';
  let globals: Globals | undefined;
  try {
    const { words, rest } = findCommand(argv);
    const entry = commands.find((c) => c.name === words.join(' '));
    // Known before anything is refused: setup and login end with a line of type "result".
    command = entry?.name ?? command;
    refuseSecretsInArgv(argv);
    const [first, second] = argv;
    if (first === 'help' && second !== undefined) return await help(argv.slice(1), ctx);
    const answer = withoutCommand(words, rest, version);
    if (answer !== undefined) {
      ctx.out.write(answer);
      return Exit.done;
    }
    if (entry === undefined) throw unknownCommand(words);
    const parsed = await parse(entry, await modules[entry.name](), rest, ctx);
    if (parsed === 'helped') return Exit.done;
    globals = parsed.globals;
    ctx.log(`${command} ${version}${globals.sandbox ? ' in the sandbox' : ''}: begins`);
    const outcome = await execute(entry, parsed, ctx);
    const exit = await present(entry, outcome, globals, ctx);
    ctx.log(`${command}: exit ${exit}${outcome.error === undefined ? '' : `, ${outcome.error.code}`}`);
    return exit;
  } catch (error) {
    return await fail(error, {
      command,
      json: globals?.json ?? wantsJson,
      stream: commands.find((c) => c.name === command)?.stream === true,
      globals,
      ctx,
    });
  }
}

/** Help and version need no command: `mailauth`, `mailauth help`, `mailauth --no-color --version`. */
function withoutCommand(words: readonly string[], rest: readonly string[], version: string): string | undefined {
  const asked = (...flags: readonly string[]) => flags.some((flag) => rest.includes(flag));
  if (words.length === 1 && words[0] === 'help') return rootHelp(version);
  if (words.length > 0) return undefined;
  if (rest.length === 0 || asked('--help', '-h')) return rootHelp(version);
  return asked('--version', '-V') ? `${version}\n` : undefined;
}

/** Before commander sees it: its own complaint about an unknown option would echo the value. */
function refuseSecretsInArgv(argv: readonly string[]): void {
  for (const word of argv) {
    const [, flag = ''] = /^(--[\w-]+)(?:=.*)?$/s.exec(word) ?? [];
    const instead = secretFlags.get(flag);
    if (instead !== undefined) throw problem('secret-in-argv', { flag, instead });
  }
}

const secretFile = 'mailauth setup --client-secret-file FILE   (or - for standard input)';
const graphToken = 'read -rs MAILAUTH_GRAPH_TOKEN && export MAILAUTH_GRAPH_TOKEN   # paste it; nothing is shown';

/** Flags that nobody may have, and where their value belongs. */
const secretFlags: ReadonlyMap<string, string> = new Map([
  ['--client-secret', secretFile],
  ['--secret', secretFile],
  ['--password', 'mailauth setup --password-file FILE   (or - for standard input)'],
  ['--passphrase', 'export MAILAUTH_PASSPHRASE_FILE=FILE   # holds the passphrase, mode 0600'],
  ['--graph-token', graphToken],
  ['--access-token', graphToken],
  ['--refresh-token', 'mailauth login'],
]);

/** The command's one or two words, and everything else in its order. Global flags may stand before the command. */
function findCommand(argv: readonly string[]): { words: string[]; rest: string[] } {
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

function unknownCommand(words: readonly string[]): MailauthError {
  const word = plain(words.join(' '), 60);
  const inGroup = commands.filter((c) => c.name.startsWith(`${words[0]} `)).map((c) => c.name);
  if (inGroup.length > 0) {
    return problem('usage', {
      message: `"${words[0]}" needs a word more: ${inGroup.map((c) => c.split(' ')[1]).join(' or ')}`,
      help: `mailauth ${inGroup[0]} --help`,
    });
  }
  if (word === '') return problem('usage', { message: 'No command was given', help: 'mailauth --help' });
  const near = commands.map((c) => ({ name: c.name, distance: editDistance(word, c.name) })).sort((a, b) => a.distance - b.distance)[0];
  return problem('unknown-command', { word, ...(near !== undefined && near.distance <= 2 ? { suggestion: near.name } : {}) });
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

async function help(words: readonly string[], ctx: Context): Promise<ExitCode> {
  const topic = topics.find((t) => t === words[0]);
  if (topic !== undefined) {
    const { topicText } = await import('./commands/help-topics.ts');
    ctx.out.write(topicText(topic));
    return Exit.done;
  }
  const name = words.filter((w) => !w.startsWith('-')).join(' ');
  const entry = commands.find((c) => c.name === name || (c.name.startsWith(`${name} `) && name !== ''));
  if (entry === undefined) throw unknownCommand(name.split(' '));
  await parse(entry, await modules[entry.name](), ['--help'], ctx);
  return Exit.done;
}

interface Parsed {
  readonly globals: Globals;
  readonly module: CommandModule;
  readonly args: readonly string[];
  readonly flags: unknown;
}

/** Lets commander read what is left of argv for this one command. Throws `usage`. */
async function parse(entry: CommandEntry, module: CommandModule, rest: readonly string[], ctx: Context): Promise<Parsed | 'helped'> {
  const [{ Command, CommanderError }, { addGlobalOptions, readGlobals }] = await Promise.all([
    import('commander'),
    import('./commands/globals.ts'),
  ]);
  const command = new Command(`mailauth ${entry.name}`).description(`${entry.summary[0]?.toUpperCase() ?? ''}${entry.summary.slice(1)}.`);
  command.exitOverride().configureOutput({
    writeOut: (text) => ctx.out.write(text),
    writeErr: () => undefined,
    getOutHelpWidth: () => Math.min(Math.max(ctx.out.columns, 80), 120),
  });
  addGlobalOptions(module.configure(command)).helpOption('-h, --help', 'this help');
  try {
    command.parse([...rest], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 'helped';
    throw problem('usage', { message: plain(withoutValue(error.message)), help: `mailauth ${entry.name} --help` });
  }
  const flags: unknown = command.opts();
  const globals = readGlobals(flags, ctx.env, entry.name === 'sandbox');
  if (globals.fault !== undefined) await knownFault(globals.fault);
  return { globals, module, args: command.args, flags };
}

/** Before the command: a fault that nobody knows is exit 2 also where no sandbox is opened. */
async function knownFault(name: string): Promise<void> {
  const { isFault } = await import('./sandbox/faults.ts');
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

async function execute(entry: CommandEntry, parsed: Parsed, ctx: Context): Promise<Outcome> {
  const [{ openSession }, { resolveHome }] = await Promise.all([import('./commands/session.ts'), import('./store/home.ts')]);
  const report = await reporterFor(entry, parsed.globals, ctx);
  const session: Session = openSession(ctx, parsed.globals, resolveHome(ctx), report);
  try {
    return await parsed.module.run({ args: parsed.args, flags: parsed.flags }, session);
  } finally {
    report.settle();
    await session.close();
  }
}

async function reporterFor(entry: CommandEntry, globals: Globals, ctx: Context): Promise<Reporter> {
  // The one command that must be quick says nothing on success and needs no colours.
  const { jsonLinesReporter, quietReporter, textReporter } = await import('./ui/reporters.ts');
  if (globals.json) return entry.stream === true ? jsonLinesReporter(ctx) : quietReporter(ctx, globals);
  const color = entry.name === 'token get' ? false : (await import('./ui/theme.ts')).wantsColor(ctx.env, ctx.err, globals.noColor);
  return textReporter(ctx, globals, color);
}

async function present(entry: CommandEntry, outcome: Outcome, globals: Globals, ctx: Context): Promise<ExitCode> {
  const exit = outcome.exit ?? outcome.error?.exit ?? Exit.done;
  if (globals.json && outcome.unwrapped !== true) {
    const { envelope } = await import('./ui/envelope.ts');
    const object = envelope(entry.name, { data: outcome.data, error: outcome.error }, globals);
    ctx.out.write(`${JSON.stringify(entry.stream === true ? { type: 'result', ...object } : object)}\n`);
    return exit;
  }
  if (typeof outcome.text === 'string') ctx.out.write(outcome.text);
  else if (outcome.text !== undefined) {
    const { themeFor } = await import('./ui/theme.ts');
    ctx.out.write(outcome.text(themeFor(ctx, ctx.out, globals.noColor)));
  }
  if (outcome.error !== undefined) await printError(outcome.error, globals, ctx);
  return exit;
}

async function printError(error: MailauthError, globals: Globals | undefined, ctx: Context): Promise<void> {
  const [{ themeFor }, { renderError }, { inThisContext }] = await Promise.all([
    import('./ui/theme.ts'),
    import('./ui/error.ts'),
    import('./ui/envelope.ts'),
  ]);
  const theme = themeFor(ctx, ctx.err, globals?.noColor === true);
  ctx.err.write(renderError(inThisContext(error, globals), theme, ctx.err.isTerminal ? ctx.err.columns : undefined));
}

interface Failing {
  readonly command: string;
  readonly json: boolean;
  readonly stream: boolean;
  readonly globals: Globals | undefined;
  readonly ctx: Context;
}

/** The one place that maps what was thrown to words and an exit code. */
async function fail(thrown: unknown, failing: Failing): Promise<ExitCode> {
  const { ctx } = failing;
  if (thrown instanceof Interrupted || ctx.signal.aborted) {
    const stopped = problem('interrupted', { command: failing.command });
    if (failing.json) await printJson(stopped, failing);
    else ctx.err.write(`\nStopped. ${stopped.why}\n`);
    return Exit.interrupted;
  }
  const error = thrown instanceof MailauthError ? thrown : await (await import('./diagnose/unexpected.ts')).asProblem(thrown, ctx);
  ctx.log(`${failing.command}: exit ${error.exit}, ${error.code}`);
  if (failing.json) await printJson(error, failing);
  else await printError(error, failing.globals, ctx);
  return error.exit;
}

async function printJson(error: MailauthError, failing: Failing): Promise<void> {
  const { envelope } = await import('./ui/envelope.ts');
  const object = envelope(failing.command, { error }, failing.globals);
  failing.ctx.out.write(`${JSON.stringify(failing.stream ? { type: 'result', ...object } : object)}\n`);
}

import { join } from 'node:path';
import type { Context } from '../core/context.ts';
import { namesDatabase } from '../core/database-port.ts';
import { Exit, type ExitCode, Interrupted, MailauthError } from '../core/errors.ts';
import { type Command, line, mailauth, type NextStep, noted } from '../core/next.ts';
import type { Prompts } from '../core/prompts-port.ts';
import type { Reporter } from '../core/run-parts.ts';
import { byShell } from '../core/shell-lines.ts';
import { type Surroundings, shown } from '../core/shown.ts';
import { problem } from '../errors/problem.ts';
import { productNames } from '../products/product.ts';
import type { Outcome } from '../session/command.ts';
import type { Globals } from '../session/globals.ts';
import type { Session } from '../session/session.ts';
import { findCommand, unknownCommand } from './find-command.ts';
import { helpOn, tell, withoutCommand } from './help.ts';
import { modules } from './modules.ts';
import { globalsOf, type Parsed, parse } from './parse.ts';
import { type CommandEntry, commands } from './tree.ts';

/**
 * One run of the program: argv (without node and script) to exit code. Everything it writes goes to `ctx.out` and `ctx.err`.
 * Walk a command from here: find its entry in `tree.ts`, load its file, let commander read the flags, open a session, run, render.
 */
export async function run(argv: readonly string[], outer: Context, version: string): Promise<ExitCode> {
  const wantsJson = argv.includes('--json');
  let command = 'mailauth';
  let globals: Globals | undefined;
  let ctx = outer;
  try {
    const isBare = argv.length === 0 && (await isInUse(outer));
    const { words, rest } = findCommand(isBare ? ['status'] : argv);
    const entry = commands.find((c) => c.name === words.join(' '));
    // The command is known before an error can happen, because setup and login end with a line of type "result".
    command = entry?.name ?? command;
    refuseSecretsInArgv(argv);
    const answer = await withoutCommand(words, rest, version, ctx);
    if (answer !== undefined) return await tell(answer, wantsJson, ctx);
    if (entry === undefined) throw unknownCommand(words, rest);
    const parsed = await parse(entry, await modules[entry.name](), rest, ctx);
    if (typeof parsed === 'string') return await tell(helpOn(parsed, entry.name), wantsJson, ctx);
    ctx = { ...outer, surroundings: { ...outer.surroundings, running: parsed.given } };
    globals = await globalsOf(parsed, entry, outer);
    ctx = { ...outer, surroundings: surroundingsOf(parsed.given, globals, outer) };
    ctx.log(`${command} ${version}${globals.sandbox ? ' in the sandbox' : ''}: begins`);
    const outcome = await sysexitsOf(entry, await execute(entry, parsed, globals, ctx));
    const exit = await present(entry, outcome, globals, ctx);
    if (isBare) ctx.out.write('\nmailauth --help lists every command.\n');
    ctx.log(`${command}: exit ${exit}${outcome.error === undefined ? '' : `, ${outcome.error.code}`}`);
    return exit;
  } catch (error) {
    return await fail(error, {
      command,
      json: globals?.json ?? wantsJson,
      entry: commands.find((c) => c.name === command),
      globals,
      ctx,
    });
  }
}

/** Something was set up or begun: `mailauth` alone then says how it stands, and not what it is. */
async function isInUse(ctx: Context): Promise<boolean> {
  if (namesDatabase(ctx)) return true;
  const { resolveHome } = await import('../store/home.ts');
  try {
    const home = resolveHome(ctx);
    const names = await Promise.all(['mailboxes', 'setups'].map((folder) => ctx.files.list(join(home, folder))));
    return names.flat().some((name) => name.endsWith('.json'));
  } catch {
    // Without a home, or with one that cannot be read, the help is the answer that always works.
    return false;
  }
}

/** Called before commander reads the flags: its message about an unknown option would repeat the value. */
function refuseSecretsInArgv(argv: readonly string[]): void {
  for (const word of argv) {
    const [, flag = ''] = /^(--[\w-]+)(?:=.*)?$/s.exec(word) ?? [];
    const instead = secretFlags.get(flag);
    if (instead !== undefined) throw problem('secret-in-argv', { flag, instead });
  }
}

const secretFile = noted(mailauth('setup', { clientSecretFile: '-' }), 'with the secret on standard input; or name a file that holds it');
const graphToken = noted(
  byShell({
    posix: line`read -rs MAILAUTH_GRAPH_TOKEN && export MAILAUTH_GRAPH_TOKEN`,
    powershell: line`$env:MAILAUTH_GRAPH_TOKEN = [Net.NetworkCredential]::new('', (Read-Host -AsSecureString)).Password`,
    // cmd has no question that hides its answer.
    cmd: line`powershell -NoExit "$env:MAILAUTH_GRAPH_TOKEN = [Net.NetworkCredential]::new('', (Read-Host -AsSecureString)).Password"`,
  }),
  'paste it; nothing is shown',
);
const passwordFile = noted(
  mailauth('setup', { signIn: 'password', passwordFile: '-' }),
  'with the password on standard input; or name a file that holds it',
);
const passphraseFile = 'Put the passphrase into a file that only you can read (mode 0600), and set MAILAUTH_PASSPHRASE_FILE to its path.';

/** Flags that would take a secret, which mailauth refuses; and where the secret belongs instead. */
const secretFlags: ReadonlyMap<string, NextStep> = new Map<string, NextStep>([
  ['--client-secret', secretFile],
  ['--secret', secretFile],
  ['--password', passwordFile],
  ['--passphrase', passphraseFile],
  ['--graph-token', graphToken],
  ['--access-token', graphToken],
  ['--refresh-token', mailauth('login')],
]);

async function execute(entry: CommandEntry, parsed: Parsed, globals: Globals, ctx: Context): Promise<Outcome> {
  const [{ openSession }, { resolveHome }] = await Promise.all([import('../session/session.ts'), import('../store/home.ts')]);
  const report = await reporterFor(entry, globals, ctx);
  const asking: Context = { ...ctx, prompts: afterProgress(ctx.prompts, report) };
  const session: Session = openSession(asking, globals, resolveHome(ctx), report);
  const work = async (): Promise<Outcome> => {
    try {
      return await parsed.module.run({ args: parsed.args, flags: parsed.flags }, session);
    } finally {
      report.settle();
      await session.close();
    }
  };
  const over = new AbortController();
  try {
    return await Promise.race([work(), toldToStop(ctx, over.signal)]);
  } finally {
    over.abort();
  }
}

async function sysexitsOf(entry: CommandEntry, outcome: Outcome): Promise<Outcome> {
  if (entry.sysexits !== true || outcome.error === undefined) return outcome;
  const { asSysExit } = await import('../sending/sysexits.ts');
  return { ...outcome, error: asSysExit(outcome.error) };
}

/** A question gets a line of its own: what is under way is taken away first. */
const afterProgress = (prompts: Prompts, { settle }: Pick<Reporter, 'settle'>): Prompts =>
  new Proxy(prompts, {
    get(target, name) {
      settle();
      return Reflect.get(target, name);
    },
  });

const stoppingMs = 400;

/** Throws the reason why a command was told to stop. Most parts stop by themselves; one that does not (a name server that never answers) is left behind. */
async function toldToStop({ signal, clock }: Context, over: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: over });
  });
  await clock.sleep(stoppingMs, over).catch(() => undefined);
  throw signal.reason;
}

async function reporterFor(entry: CommandEntry, globals: Globals, ctx: Context): Promise<Reporter> {
  const { jsonLinesReporter, quietReporter, textReporter } = await import('../ui/reporters.ts');
  if (globals.json) return entry.stream === true ? jsonLinesReporter(ctx) : quietReporter(ctx, globals);
  const { themeFor } = await import('../ui/theme.ts');
  return textReporter(ctx, globals, themeFor(ctx, ctx.err, globals.noColor));
}

async function present(entry: CommandEntry, outcome: Outcome, globals: Globals, ctx: Context): Promise<ExitCode> {
  const exit = outcome.exit ?? outcome.error?.exit ?? Exit.done;
  if (globals.json && outcome.unwrapped !== true) {
    const { envelope } = await import('../session/envelope.ts');
    const object = envelope(entry.name, { data: outcome.data, error: outcome.error }, ctx.surroundings);
    ctx.out.write(`${JSON.stringify(entry.stream === true ? { type: 'result', ...object } : object)}\n`);
    return exit;
  }
  if (typeof outcome.text === 'string') ctx.out.write(outcome.text);
  else if (outcome.text !== undefined) {
    const { themeFor } = await import('../ui/theme.ts');
    ctx.out.write(outcome.text(themeFor(ctx, ctx.out, globals.noColor)));
  }
  if (outcome.error !== undefined) await printError(outcome.error, globals, ctx);
  return exit;
}

/**
 * What the next commands must carry to work where they are read. A variable that names the cloud or the store goes on naming it there, and
 * this-computer is what `mailauth setup` takes without a flag.
 */
function surroundingsOf(given: Command, globals: Globals, { surroundings }: Context): Surroundings {
  const flag = (name: string): string | undefined => {
    const value = given.flags[name];
    return typeof value === 'string' ? value : undefined;
  };
  const [cloud, cloudFile] = [flag('cloud'), flag('cloud-file')];
  const product = productNames.find((name) => name === flag('for'));
  return {
    ...surroundings,
    sandbox: globals.sandbox,
    cloud,
    cloudFile,
    cloudIsSet: (globals.cloud ?? globals.cloudFile) !== undefined,
    store: flag('store'),
    home: flag('home'),
    keyFile: flag('key-file'),
    for: given.name === 'setup' && product === 'this-computer' ? undefined : product,
    running: given,
  };
}

async function printError(error: MailauthError, globals: Globals | undefined, ctx: Context): Promise<void> {
  const [{ themeFor }, { renderError }] = await Promise.all([import('../ui/theme.ts'), import('../ui/error.ts')]);
  const theme = themeFor(ctx, ctx.err, globals?.noColor === true);
  ctx.err.write(renderError(error, theme, ctx.surroundings, ctx.err.isTerminal ? ctx.err.columns : undefined));
}

interface Failing {
  readonly command: string;
  readonly json: boolean;
  readonly entry: CommandEntry | undefined;
  readonly globals: Globals | undefined;
  readonly ctx: Context;
}

/** The one place that maps what was thrown to words and an exit code. */
async function fail(thrown: unknown, failing: Failing): Promise<ExitCode> {
  const { ctx } = failing;
  // The reason of a stop says more than what the stop made fail.
  const cause: unknown = ctx.signal.aborted ? ctx.signal.reason : thrown;
  if (cause instanceof Interrupted || (cause instanceof Error && cause.name === 'AbortError')) {
    const exit = endOf(cause);
    const goOn = cause instanceof Interrupted ? cause.goOn : undefined;
    const stopped = problem('interrupted', { command: failing.command, goOn }).but({ exit });
    if (failing.json) await printJson(stopped, failing);
    else ctx.err.write(`\nStopped. ${stopped.why}\n${goOn === undefined ? '' : `  next: ${shown(goOn, ctx.surroundings)}\n`}`);
    return exit;
  }
  const known = cause instanceof MailauthError ? cause : await (await import('../session/unexpected.ts')).asProblem(cause, ctx);
  const error = failing.entry?.sysexits === true ? (await import('../sending/sysexits.ts')).asSysExit(known) : known;
  ctx.log(`${failing.command}: exit ${error.exit}, ${error.code}`);
  if (failing.json) await printJson(error, failing);
  else await printError(error, failing.globals, ctx);
  return error.exit;
}

const endOf = (reason: unknown): ExitCode => (reason instanceof Interrupted ? reason.exit : Exit.interrupted);

async function printJson(error: MailauthError, failing: Failing): Promise<void> {
  const { envelope } = await import('../session/envelope.ts');
  const object = envelope(failing.command, { data: failing.entry?.nothing, error }, failing.ctx.surroundings);
  failing.ctx.out.write(`${JSON.stringify(failing.entry?.stream === true ? { type: 'result', ...object } : object)}\n`);
}

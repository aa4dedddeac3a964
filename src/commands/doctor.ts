import * as z from 'zod/mini';
import packageJson from '../../package.json' with { type: 'json' };
import { type Cloud, namedCloud, unverifiedWords } from '../core/cloud.ts';
import { namesDatabase } from '../core/database-port.ts';
import { defined } from '../core/defined.ts';
import { errorCode, MailauthError } from '../core/errors.ts';
import { fold } from '../core/fold.ts';
import type { MailboxRecord } from '../core/mailbox.ts';
import { type Command, mailauth, type NextStep } from '../core/next.ts';
import { allShown } from '../core/shown.ts';
import { plain } from '../core/text.ts';
import { type Check, type CheckResult, failed, ok, runChecks } from '../doctor/check.ts';
import { clockCheck } from '../doctor/check-clock.ts';
import { environmentCheck } from '../doctor/check-environment.ts';
import { hostCheck, proxyCheck, targetsOf } from '../doctor/check-hosts.ts';
import { loopbackCheck } from '../doctor/check-loopback.ts';
import { authoritiesCheck, browserCheck, homeCheck, mailboxesCheck, nodeCheck } from '../doctor/check-machine.ts';
import { powershellCheck } from '../doctor/check-powershell.ts';
import { storeCheck, storesToCheck } from '../doctor/check-store.ts';
import { placeFor, reportText, writeReport } from '../doctor/doctor-report.ts';
import { problem } from '../errors/problem.ts';
import { type CommandModule, examples } from '../session/command.ts';
import { canAsk, mailboxesOf } from '../session/mailbox-argument.ts';
import type { Session } from '../session/session.ts';
import { asProblem, fromSystemError } from '../session/unexpected.ts';
import type { Theme } from '../ui/theme.ts';

const schema = z.object({ report: z.optional(z.string()) });
const version = packageJson.version;

export const doctor: CommandModule = {
  configure: (command) =>
    examples(command, [
      'mailauth doctor',
      'mailauth doctor --report doctor.md      to attach to a ticket',
      'mailauth doctor --json',
    ]).option('--report <file>', 'also write a report without secrets, addresses and names (Markdown, mode 0600)'),

  async run({ flags }, session) {
    const { report: file } = schema.parse(flags);
    if (file !== undefined) await mayWrite(file, session);
    const records = await readable(session);
    const found = await cloudsOf(session, records);
    session.report.progress('doctor', 'started', 'Checking this computer, its keychain and the way to Microsoft');
    const results = (await runAll(await checksOf(session, records, found), session)).map(withoutDoctor);
    const clouds = found.clouds.map((cloud) => cloud.name);
    const written = file === undefined ? undefined : await report(file, session, { version, clouds, results, records });
    const error = redError(results) ?? (written?.kind === 'failed' ? written.error : undefined);
    const path = written?.kind === 'written' ? written.path : undefined;
    return {
      data: {
        checks: results.map(({ next, ...result }) => ({ ...result, ...(next && { next: allShown(next, session.ctx.surroundings) }) })),
        ...defined({ report: path }),
      },
      ...defined({ error }),
      text: (theme) => render(results, theme, session) + (path === undefined ? '' : `Report: ${plain(path)}\n`),
    };
  },
};

/** Somebody else's file is not written over unasked. Asked before the checks, so that nobody waits for them in vain. */
async function mayWrite(file: string, session: Session): Promise<void> {
  if ((await placeFor(file, session.ctx)) !== 'taken' || session.globals.yes) return;
  const message = `${plain(file)} is not a report of mailauth. Write over it?`;
  if (canAsk(session) && (await session.ctx.prompts.confirm({ message, default: false }))) return;
  throw problem('doctor-report-exists', { file }, { detail: { flag: '--yes' } });
}

/** A folder that cannot be read has its own check. */
async function readable(session: Session): Promise<readonly MailboxRecord[]> {
  try {
    return (await mailboxesOf(session).listMailboxes()).records;
  } catch {
    return [];
  }
}

interface Clouds {
  readonly clouds: readonly Cloud[];
  /** MAILAUTH_CLOUD_FILE cannot be used; as a flag it is the caller's mistake, and thrown */
  readonly broken?: MailauthError;
}

/** The cloud that was asked for; else those of the mailboxes; else Microsoft's public one. */
async function cloudsOf(session: Session, records: readonly MailboxRecord[]): Promise<Clouds> {
  const { globals, ctx } = session;
  const recorded = async () => {
    if (records.length > 0) return records.map((record) => record.cloud);
    return [namedCloud('public')];
  };
  if (!globals.sandbox && globals.cloud === undefined && globals.cloudFile === undefined) return { clouds: named(await recorded()) };
  try {
    return { clouds: [await session.cloud()] };
  } catch (error) {
    const fromEnvironment = globals.cloudFile !== undefined && globals.cloudFile === ctx.env.MAILAUTH_CLOUD_FILE;
    if (!fromEnvironment || !(error instanceof MailauthError)) throw error;
    return { clouds: named(await recorded()), broken: error };
  }
}

const named = (clouds: readonly Cloud[]): readonly Cloud[] => [...new Map(clouds.map((cloud) => [JSON.stringify(cloud), cloud])).values()];

/** All of them, in the order of the list. */
async function checksOf(session: Session, records: readonly MailboxRecord[], { clouds, broken }: Clouds): Promise<readonly Check[]> {
  const { ctx, globals, home } = session;
  const network = await session.network();
  const targets = targetsOf(clouds);
  const stores = storesToCheck({
    asked: globals.store,
    recorded: records.map((r) => r.store),
    database: namesDatabase(ctx),
    sandbox: globals.sandbox,
  });
  const [first] = clouds;
  return [
    nodeCheck(ctx, version),
    homeCheck({ ...ctx, home }),
    mailboxesCheck({ ...ctx, home }, (record) => session.refuseSteered(record)),
    ...stores.map((store) => storeCheck(store, (name) => session.storeToShow({ store: name }), canAsk(session))),
    loopbackCheck(ctx),
    browserCheck(ctx),
    environmentCheck(ctx),
    authoritiesCheck(ctx),
    proxyCheck(targets, network, ctx.env),
    cloudCheck(clouds, broken),
    powershellCheck(ctx),
    ...targets.map((target) => hostCheck(target, { network, clock: ctx.clock })),
    ...(first === undefined ? [] : [clockCheck(first, { ...ctx, network, timeoutMs: session.stepTimeoutMs })]),
  ];
}

function cloudWords(cloud: Cloud): string {
  const unverified = unverifiedWords(cloud);
  return unverified === undefined ? cloud.name : `${cloud.name} (${unverified})`;
}

function cloudCheck(clouds: readonly Cloud[], broken: MailauthError | undefined): Check {
  return {
    id: 'cloud',
    title: 'Cloud',
    async run() {
      if (broken !== undefined) return failed(broken);
      return ok(clouds.map(cloudWords).join(', '));
    },
  };
}

function runAll(checks: readonly Check[], { ctx, stepTimeoutMs, report: reporter }: Session): Promise<readonly CheckResult[]> {
  return runChecks(checks, {
    clock: ctx.clock,
    signal: ctx.signal,
    limitMs: stepTimeoutMs,
    meaning: (thrown) => asProblem(thrown, ctx),
    onEnd: ({ id, state, ms }) => reporter.detail(`${id}: ${state} after ${ms} ms`),
  });
}

/** Whoever reads this has asked the doctor already: what the variables do is told in its place. */
function withoutDoctor({ next, ...result }: CheckResult): CheckResult {
  if (next === undefined) return result;
  const isDoctor = (step: NextStep) => typeof step !== 'string' && step.kind === 'command' && step.name === 'doctor' && isBare(step);
  const others = next.filter((step) => !isDoctor(step));
  return { ...result, next: others.length === next.length ? next : [...others, mailauth('help', 'environment')] };
}

const isBare = ({ flags }: Command): boolean => Object.keys(flags).length === 0;

function redError(results: readonly CheckResult[]): MailauthError | undefined {
  const red = results.filter(({ state }) => state === 'failed');
  const fix = red.find(({ next }) => next !== undefined)?.next?.[0] ?? mailauth('doctor', { verbose: true });
  return red.length === 0 ? undefined : problem('doctor-failed', { titles: red.map(({ title }) => title), all: results.length, fix });
}

type Written = { readonly kind: 'written'; readonly path: string } | { readonly kind: 'failed'; readonly error: MailauthError };

/** A report that cannot be written does not take the results with it. */
async function report(file: string, { ctx, globals }: Session, facts: Omit<Parameters<typeof reportText>[0], 'sandbox'>): Promise<Written> {
  try {
    return { kind: 'written', path: await writeReport(file, reportText({ ...facts, sandbox: globals.sandbox }, ctx), ctx) };
  } catch (error) {
    const known = fromSystemError(error);
    const why = known?.why ?? (error instanceof Error && errorCode(error) !== undefined ? plain(error.message) : undefined);
    if (why === undefined) throw error;
    return { kind: 'failed', error: problem('doctor-report-failed', { file, why }) };
  }
}

/** A terminal gets folded prose and whole commands, a pipe whole lines. */
function render(results: readonly CheckResult[], theme: Theme, { ctx: { out, surroundings } }: Session): string {
  const width = Math.max(...results.map(({ title }) => title.length)) + 2;
  const signs = { ok: theme.green(theme.signs.ok), warning: theme.yellow(theme.signs.warning), failed: theme.red(theme.signs.failed) };
  const folded = (text: string, at: number) => (out.isTerminal ? fold(text, out.columns, at) : text);
  const lines = results.flatMap(({ state, title, detail, why, next = [] }) => [
    `${signs[state]} ${state === 'ok' ? title.padEnd(width) : theme.bold(title.padEnd(width))}${folded(detail, width + 2)}`,
    ...(why === undefined ? [] : [`    ${folded(why, 4)}`]),
    ...allShown(next, surroundings).map((line, i) => `    ${i === 0 ? 'try:' : ' or:'} ${theme.cyan(line)}`),
  ]);
  return `${lines.join('\n')}\n\n${summary(results)}\n`;
}

function summary(results: readonly CheckResult[]): string {
  const count = (state: CheckResult['state']) => results.filter((one) => one.state === state).length;
  const [warnings, red] = [count('warning'), count('failed')];
  const parts = [`${count('ok')} ok`, ...(warnings === 0 ? [] : [`${warnings} to look at`]), ...(red === 0 ? [] : [`${red} failed`])];
  return `${results.length} checks: ${parts.join(', ')}`;
}

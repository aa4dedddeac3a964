import { defined } from '../../core/defined.ts';
import { Exit, type ExitCode, Interrupted, type MailauthError } from '../../core/errors.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { type Command, mailauth } from '../../core/next.ts';
import { allShown } from '../../core/shown.ts';
import type { Graph } from '../../entra/graph.ts';
import { problem } from '../../errors/problem.ts';
import { appKeyOf, namedUsers } from '../../secrets/app-users.ts';
import { removesOld } from '../../secrets/rotation.ts';
import { rotationNotes } from '../../secrets/rotation-notes.ts';
import type { Outcome } from '../../session/command.ts';
import { mailboxesOf } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { asProblem } from '../../session/unexpected.ts';
import { daysLeft } from '../../tokens/lifetimes.ts';
import type { Theme } from '../../ui/theme.ts';
import { isOpen, isRotatable, onApp, openRotation, redError } from './rotate-app.ts';
import { agree, monthsFor, stepsAfter, wordsAfter } from './rotation-words.ts';

interface Wish {
  /** lower case */
  readonly clientId?: string;
  readonly days?: number;
  readonly months?: number;
  readonly finish: boolean;
}

/** One app and its set-ups; `isDue`: it is to be rotated now, and not only named because its rotation is not finished. */
interface App {
  readonly users: readonly MailboxRecord[];
  readonly first: MailboxRecord;
  readonly isDue: boolean;
}

/** `data.apps[]` of `secret rotate --app` and `--ending`. */
interface AppResult {
  readonly clientId: string;
  readonly tenantId: string;
  readonly mailboxes: readonly string[];
  readonly secretId: string;
  readonly secretExpiresAt: string;
  readonly finished: boolean;
  readonly ok: boolean;
  readonly exit: ExitCode;
  readonly code?: string;
  readonly title?: string;
  readonly next: readonly string[];
}

interface Done {
  readonly result: AppResult;
  readonly words: string;
  readonly error?: MailauthError;
}

/**
 * `--app` and `--ending`: a new client secret for each app, one after the other, tenant by tenant, with one administrator's sign-in a tenant. One
 * that fails stops no other. Throws `app-unknown` (4), `needs-yes` (3), `rotation-declined`.
 */
export async function rotateApps(wish: Wish, session: Session): Promise<Outcome> {
  const apps = await chosenApps(wish, session);
  if (apps.length === 0)
    return { data: { apps: [] }, text: `No client secret here ends within ${wish.days} days, and no rotation is open.\n` };
  const due = apps.filter(({ isDue }) => isDue);
  const command = commandOf(wish);
  if (due.length > 0) await agreeToAll(due, wish, command, session);
  const signedIn = new Map<string, Promise<Graph>>();
  const graphOf = (tenantId: string, signIn: () => Promise<Graph>): Promise<Graph> => {
    const graph = signedIn.get(tenantId) ?? signIn();
    signedIn.set(tenantId, graph);
    return graph;
  };
  const done: Done[] = [];
  for (const app of apps) {
    session.ctx.signal.throwIfAborted();
    done.push(app.isDue ? await rotateOne(app, wish, { session, graphOf }) : openOne(app, session));
  }
  const error = commonError(done, command);
  return {
    data: { apps: done.map(({ result }) => result) },
    ...defined({ error }),
    text: (theme) => done.map((one) => lineOf(one, theme)).join(''),
  };
}

const commandOf = ({ clientId: app, days: ending, months: secretMonths, finish }: Wish): Command =>
  mailauth('secret rotate', { app, ending, secretMonths, finish });

/** By tenant, and within it as the files are. Throws `app-unknown` (4). */
async function chosenApps({ clientId, days }: Wish, session: Session): Promise<readonly App[]> {
  const { records, broken } = await mailboxesOf(session).listMailboxes();
  for (const file of broken) session.report.note(`Left out, because it cannot be read: ${file.file} (${file.why})`);
  const byApp = new Map<string, MailboxRecord[]>();
  for (const record of records.filter(isRotatable)) byApp.set(appKeyOf(record), [...(byApp.get(appKeyOf(record)) ?? []), record]);
  const apps: App[] = [];
  for (const users of byApp.values()) {
    const [first] = users;
    if (first === undefined) continue;
    const isDue =
      clientId === undefined
        ? endsWithin(users, days ?? 0, session.ctx.clock.now())
        : first.registration.clientId.toLowerCase() === clientId;
    const isNamed = isDue || (clientId === undefined && (await isOpen(session, users)));
    // What was stopped in the middle is gone on with.
    const isStopped = isNamed && !isDue && (await rotationNotes(session.ctx, session.home).read(first)) !== undefined;
    if (isNamed) apps.push({ users, first, isDue: isDue || isStopped });
  }
  if (clientId !== undefined && apps.length === 0) {
    const known = [...new Set([...byApp.values()].flat().map(({ registration }) => registration.clientId))];
    throw problem('app-unknown', { clientId, known });
  }
  const tenants = [...new Set(apps.map(({ first }) => first.tenantId))];
  return tenants.flatMap((tenantId) => apps.filter(({ first }) => first.tenantId === tenantId));
}

function endsWithin(users: readonly MailboxRecord[], days: number, now: number): boolean {
  return users.some(({ registration: { secretExpiresAt } }) => {
    const left = secretExpiresAt === undefined ? null : daysLeft(now, Date.parse(secretExpiresAt));
    return left !== null && left < days;
  });
}

async function agreeToAll(due: readonly App[], { finish }: Wish, command: Command, session: Session): Promise<void> {
  const columns = columnsOf(session.ctx.err);
  const named = ({ first, users }: App) => `${first.registration.clientId} (${first.for}): ${namedUsers(users)}`;
  const lines = due.map((app) => `  ${fold(named(app), columns, 4)}\n`);
  const count = `${due.length} app${due.length === 1 ? '' : 's'}`;
  const what = finish ? `Removing the old client secret of ${count}` : `A new client secret for ${count}`;
  if (!session.globals.yes) session.report.show(`${what}:\n${lines.join('')}`);
  const question = finish ? 'Is the new secret in the product already? Then the old one is removed.' : `${what}: go on?`;
  await agree(session, { what, question, command });
}

interface Rotating {
  readonly session: Session;
  readonly graphOf: (tenantId: string, signIn: () => Promise<Graph>) => Promise<Graph>;
}

/** The error of one app is part of its result. Throws `Interrupted` alone. */
async function rotateOne(app: App, wish: Wish, { session, graphOf }: Rotating): Promise<Done> {
  const { ctx } = session;
  try {
    return await onApp(session, app.first, async (users) => {
      const [first = app.first] = users;
      const again = mailauth('secret rotate', { app: first.registration.clientId });
      const interrupted = await rotationNotes(ctx, session.home).read(first);
      const isUnfinished = await isOpen(session, users);
      if (wish.finish && !isUnfinished)
        return { result: resultOf(first, users, { finished: true, next: [] }), words: 'No rotation is open.' };
      if (!wish.finish && isUnfinished && interrupted === undefined && !removesOld(first))
        throw problem('rotation-open', { mailbox: first.mailbox, for: first.for });
      const rotation = await openRotation(session, users, { again, graphOf, provesMailboxes: true });
      const rotated = wish.finish ? await rotation.finish() : await rotation.rotate(wish.months ?? monthsFor(first));
      const { secretId, secretExpiresAt, before, isUnsure, red } = rotated;
      const error = redError(first.registration.clientId, red);
      const finished = before !== 'kept' && !isUnsure;
      const next = error === undefined ? stepsAfter(rotated, first, again, ctx.surroundings) : allShown(error.next, ctx.surroundings);
      const result = resultOf(first, users, { secretId, secretExpiresAt, finished, next }, error);
      return { result, words: wordsAfter(rotated), ...defined({ error }) };
    });
  } catch (thrown) {
    if (ctx.signal.aborted || thrown instanceof Interrupted) throw thrown;
    const error = await asProblem(thrown, ctx);
    const next = allShown(error.next, ctx.surroundings);
    return { result: resultOf(app.first, app.users, { finished: false, next }, error), words: error.title, error };
  }
}

/** It was rotated before, and the product may still have the old secret: it is named, and nothing is done. */
function openOne({ first, users }: App, { ctx }: Session): Done {
  const open = problem('rotation-open', { mailbox: first.mailbox, for: first.for });
  const finish = mailauth('secret rotate', { app: first.registration.clientId, finish: true });
  const result = resultOf(first, users, { finished: false, next: allShown([finish], ctx.surroundings) });
  return { result: { ...result, code: open.code, title: open.title }, words: open.title };
}

function resultOf(
  { registration, tenantId }: MailboxRecord,
  users: readonly MailboxRecord[],
  more: Pick<AppResult, 'finished' | 'next'> & Partial<Pick<AppResult, 'secretId' | 'secretExpiresAt'>>,
  error?: MailauthError,
): AppResult {
  return {
    clientId: registration.clientId,
    tenantId,
    mailboxes: users.map(({ mailbox }) => mailbox),
    secretId: registration.secretKeyId ?? '',
    secretExpiresAt: registration.secretExpiresAt ?? '',
    ok: error === undefined,
    exit: error?.exit ?? Exit.done,
    ...defined({ code: error?.code, title: error?.title }),
    ...more,
  };
}

/** One that failed keeps its own error; of several the exit code that all of them share, else 1. */
function commonError(done: readonly Done[], command: Command): MailauthError | undefined {
  const failed = done.flatMap(({ error, result }) => (error === undefined ? [] : [{ error, result }]));
  const [first] = failed;
  if (first === undefined) return undefined;
  if (failed.length === 1) return first.error;
  const lines = failed.map(({ error, result }) => `${result.clientId} (${error.title})`);
  const words = problem('rotations-failed', { failed: failed.length, total: done.length, lines, command });
  return failed.every(({ error }) => error.exit === first.error.exit) ? words.but({ exit: first.error.exit }) : words;
}

function lineOf({ result, words, error }: Done, theme: Theme): string {
  const { signs } = theme;
  const sign = error !== undefined ? theme.red(signs.failed) : result.finished ? theme.green(signs.ok) : theme.yellow(signs.ending);
  const users = namedUsers(result.mailboxes.map((mailbox) => ({ mailbox, for: '' })));
  const next = result.next.map((line) => `    next: ${theme.cyan(line)}\n`).join('');
  return `${sign} ${theme.bold(result.clientId)} ${users}\n    ${words}\n${next}`;
}

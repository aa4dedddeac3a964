import { type ProtocolWord, placeOf, protocolWords } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { Exit, type ExitCode, MailauthError } from '../../core/errors.ts';
import { columnsOf } from '../../core/fold.ts';
import { isHandedOver, type MailboxRecord } from '../../core/mailbox.ts';
import { again, mailauth } from '../../core/next.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { resultsShown } from '../../mail/result.ts';
import { type Candidate, type TestedMailbox, testMailboxes } from '../../mail/test-mailboxes.ts';
import type { Outcome } from '../../session/command.ts';
import { mailboxesOf, productFlag } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { isChosen, mayBeChosen, readFilter, wordsOf } from '../../session/set-up-filter.ts';
import { refuseForeignSignIn } from '../../session/token-for.ts';
import { asProblem } from '../../session/unexpected.ts';
import { isFileOf } from '../../store/mailbox-file.ts';
import { type MailboxRow, renderMailboxTable } from '../../ui/tables.ts';
import { type Skipped, tenantHeadings, tenantSummaries } from './tenants.ts';
import { testMailbox } from './test-mailbox.ts';

export interface AllMailboxes {
  /** imap, pop, smtp or all */
  readonly protocol: string;
  readonly mailbox: string | undefined;
  readonly sendTo: string | undefined;
  readonly concurrency: string | undefined;
  readonly flags: unknown;
}

interface Broken {
  readonly file: string;
  readonly why: string;
}

/** Every set-up of this home, what of it is tested, and what is not and why. */
interface Plan {
  readonly candidates: readonly Candidate[];
  readonly skipped: readonly Skipped[];
  readonly broken: readonly Broken[];
}

const defaultConcurrency = 4;

/** `mailauth test all --all-mailboxes`. Throws `usage`, `value-invalid` (exit 2), `no-mailbox`, `nothing-to-test` (exit 4). */
export async function testAllMailboxes(asked: AllMailboxes, session: Session): Promise<Outcome> {
  const concurrency = readOptions(asked);
  const plan = await planOf(asked, session);
  const total = plan.candidates.length;
  const { ctx, report } = session;
  const clouds = new Map(await Promise.all(plan.candidates.map(async ({ record }) => [record, await session.cloud(record)] as const)));
  const cloudOf = (record: MailboxRecord) => clouds.get(record) ?? record.cloud;
  const progress = (done: number, red: number): void =>
    report.progress('test', 'started', `Tested ${done} of ${total} mailboxes${red === 0 ? '' : `, ${red} red`}`);
  if (total > 0) progress(0, 0);
  const tested = await testMailboxes({
    candidates: plan.candidates,
    concurrency,
    clock: ctx.clock,
    signal: ctx.signal,
    hostOf: (record, protocol) => placeOf(cloudOf(record), protocol),
    async test({ record, protocols: wanted }) {
      await refuseForeignSignIn(session, record);
      return testMailbox(session, record, wanted);
    },
    explain: (thrown) => asProblem(thrown, ctx),
    onDone: progress,
    onPause: (host, ms) => report.note(`${host} asks for a pause: waiting ${Math.ceil(ms / 1000)} s before it is asked again.`),
  });
  report.settle();
  return outcomeOf(asked, plan, tested, session);
}

/** Checks the flags against each other; the number of mailboxes in work. */
function readOptions({ protocol, mailbox, sendTo, concurrency }: AllMailboxes): number {
  const help = mailauth('test', protocol, { allMailboxes: true });
  if (mailbox !== undefined)
    throw problem('usage', { message: `--all-mailboxes tests every mailbox, so ${mailbox} is one too many`, help });
  if (sendTo !== undefined) throw problem('usage', { message: '--send-to sends from one mailbox, not from all of them', help });
  if (concurrency === undefined) return defaultConcurrency;
  const count = Number(concurrency);
  if (/^\d{1,2}$/.test(concurrency) && count >= 1 && count <= 64) return count;
  throw problem('value-invalid', {
    what: 'number of mailboxes at a time',
    value: concurrency,
    why: '--concurrency takes a whole number from 1 to 64.',
    next: again({ concurrency: defaultConcurrency }),
  });
}

async function planOf({ protocol, flags }: AllMailboxes, session: Session): Promise<Plan> {
  const guide = productFlag(flags);
  const found = await mailboxesOf(session).listMailboxes();
  const filter = readFilter(flags);
  const records = found.records.filter((record) => isChosen(record, record.tenantId, filter));
  const broken = mayBeChosen(filter) ? found.broken.filter(({ file }) => isFileOf(file, { for: guide })) : [];
  if (found.records.length + found.broken.length === 0) throw problem('no-mailbox', {});
  if (records.length + broken.length === 0 && !mayBeChosen(filter)) throw problem('none-chosen', { filter: wordsOf(filter) });
  if (records.length + broken.length === 0) {
    const known = found.records.map((r) => `${r.mailbox} for ${r.for}`);
    throw problem('product-unknown', { mailbox: found.records[0]?.mailbox ?? '', guide: guide ?? '', known });
  }
  const candidates: Candidate[] = [];
  const skipped: Skipped[] = [];
  for (const record of records) {
    const wanted = protocolWords.filter((p) => record.protocols.includes(p) && (protocol === 'all' || protocol === p));
    const unused = wanted.length === 0 ? `does not use ${protocol === 'all' ? 'mail' : protocol.toUpperCase()}` : undefined;
    // Nothing is wrong here, and nothing can be tested.
    const why = unused ?? (isHandedOver(record) ? 'handed over: the product keeps the token' : undefined);
    if (why === undefined) candidates.push({ record, protocols: wanted });
    else skipped.push({ mailbox: record.mailbox, for: record.for, tenantId: record.tenantId, ...defined({ label: record.label }), why });
  }
  if (candidates.length + broken.length === 0) throw problem('nothing-to-test', { setUps: records.length, protocol });
  return { candidates, skipped, broken };
}

function outcomeOf(asked: AllMailboxes, plan: Plan, tested: readonly TestedMailbox[], session: Session): Outcome {
  const { ctx } = session;
  const results = resultsShown(
    tested.flatMap((t) => t.results),
    ctx.surroundings,
  );
  const interrupted = ctx.signal.aborted;
  const error = interrupted ? problem('interrupted', { command: 'test' }) : redError(asked, plan, tested);
  const columns = columnsOf(ctx.out);
  const tenants = tenantSummaries(tested, plan.skipped);
  const left = plan.candidates.length - tested.length;
  return {
    data: {
      results,
      tenants,
      skipped: plan.skipped.map(({ mailbox, for: product, why }) => ({ mailbox, for: product, why })),
      broken: plan.broken.map(({ file, why }) => ({ file: plain(file), why })),
      ...(interrupted ? { notTested: left } : {}),
    },
    ...(error === undefined ? {} : { error }),
    text: (theme) => {
      const stopped = interrupted ? `  Stopped: ${left} of ${plan.candidates.length} mailboxes were not tested to the end.\n` : '';
      const headings = tenantHeadings(tenants, [...tested, ...plan.skipped], theme);
      return `${renderMailboxTable(rowsOf(plan, tested), theme, columns, headings)}${stopped}`;
    },
  };
}

/** One error for all: its exit is the one that all red mailboxes share, else 1. */
function redError({ protocol }: AllMailboxes, plan: Plan, tested: readonly TestedMailbox[]): MailauthError | undefined {
  const red = tested.filter((t) => t.exits.length > 0);
  const [firstBroken] = plan.broken;
  const [first] = red;
  if (first === undefined) {
    return firstBroken === undefined
      ? undefined
      : problem('mailbox-file-broken', firstBroken, { detail: { file: plain(firstBroken.file) } });
  }
  const exits = new Set<ExitCode>([...red.flatMap((t) => t.exits), ...(firstBroken === undefined ? [] : [Exit.failed])]);
  const [common = Exit.failed] = exits;
  const words = problem('mailboxes-red', {
    red: red.length + plan.broken.length,
    total: tested.length + plan.broken.length,
    mailbox: first.mailbox,
    protocol,
  });
  return new MailauthError({ code: words.code, title: words.title, next: words.next, exit: exits.size === 1 ? common : Exit.failed });
}

function rowsOf(plan: Plan, tested: readonly TestedMailbox[]): readonly MailboxRow[] {
  const all = [...tested, ...plan.skipped];
  const several = new Set(all.map((t) => t.mailbox).filter((mailbox, i, list) => list.indexOf(mailbox) !== i));
  const nameOf = (t: { mailbox: string; for: string }) => (several.has(t.mailbox) ? `${t.mailbox} (${t.for})` : t.mailbox);
  return [
    ...tested.map((t) => ({
      name: nameOf(t),
      customer: t.tenantId,
      ok: Object.fromEntries(t.results.map((r) => [r.protocol, r.ok])) as Partial<Record<ProtocolWord, boolean>>,
      what: whatOf(t),
    })),
    ...plan.skipped.map((t) => ({ name: nameOf(t), customer: t.tenantId, ok: {}, what: t.why })),
    ...plan.broken.map(({ file, why }) => ({
      name: plain(file.split(/[\\/]/).at(-1) ?? file),
      ok: {},
      what: `damaged mailbox file: ${why}`,
    })),
  ];
}

/** Each reason once, with its protocols where they are not all: `SMTP: sending by SMTP AUTH is switched off (smtp-auth-disabled)`. */
function whatOf({ results }: TestedMailbox): string {
  const reasons = new Map<string, string[]>();
  for (const { diagnosis, note, protocol } of results) {
    const text = diagnosis === undefined ? note?.title : `${diagnosis.title} (${diagnosis.code})`;
    if (text !== undefined) reasons.set(text, [...(reasons.get(text) ?? []), protocol.toUpperCase()]);
  }
  return [...reasons].map(([text, which]) => (which.length === results.length ? text : `${which.join(', ')}: ${text}`)).join('; ');
}

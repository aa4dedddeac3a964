import * as z from 'zod/mini';
import { type ProtocolWord, protocolWords } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import { Interrupted, type MailauthError } from '../../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import { again } from '../../core/next.ts';
import type { SecretStore } from '../../core/stores.ts';
import { problem } from '../../errors/problem.ts';
import type { ProtocolResult } from '../../mail/result.ts';
import { runTests, testError } from '../../mail/run-tests.ts';
import { type Notified, notify, type Receivers, readReceivers } from '../../notices/notify.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { readWhole } from '../../session/globals.ts';
import { mailboxesOf, productFlag } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { filterOptions, isChosen, readFilter } from '../../session/set-up-filter.ts';
import { graphTokenOf, tokenOf } from '../../session/token-for.ts';
import { asProblem } from '../../session/unexpected.ts';
import { inTurn, tokensAhead } from '../../tokens/current.ts';
import { cannotRenew, defaultRenewAfterDays, firstEnding, jitterMs, wantsRenewal } from '../../tokens/lifetimes.ts';
import { endsSoon, lostSignIn, lostSignIns } from '../status/warnings.ts';
import { remember } from '../test/remember.ts';
import { changeTimer, timerChange } from './install-timer.ts';
import { type Kept, render, standingOf, toJson } from './kept.ts';

const schema = z.object({
  renewAfter: z.optional(z.string()),
  warnDays: z.optional(z.string()),
  jitter: z.optional(z.string()),
  test: z.optional(z.string()),
});

interface Wish {
  readonly renewAfterDays: number;
  readonly warnDays: number;
  readonly jitterLimitMs: number;
  readonly tests: readonly ProtocolWord[] | 'all' | undefined;
}

export const keepalive: CommandModule = {
  configure: (command) =>
    filterOptions(
      examples(command, [
        'mailauth keepalive                         once a day, from cron or a systemd timer',
        'mailauth keepalive --test imap             and proves that the mailboxes still open',
        'mailauth keepalive --notify-mail it@contoso.com --notify-from relay@contoso.com',
        'mailauth keepalive --renew-after 1 --json',
        'mailauth keepalive --install               writes and starts a timer of systemd; asks first',
      ])
        .option('--renew-after <days>', `renew sign-ins that were not renewed for so long (default: ${defaultRenewAfterDays})`)
        .option('--test <protocols>', 'afterwards test imap, pop, smtp (a list), or all')
        .option('--jitter <seconds>', 'wait up to so long before each renewal (default: 30; 0 on a terminal)')
        .option('--warn-days <n>', 'exit 1 when a client secret ends within so many days (default: 14)')
        .option('--for <product>', 'only the set-ups for this product'),
    )
      .optionsGroup('Notices, when a mailbox turns red or green, or something ends in 30, 14, 7, 3 or 1 days:')
      .option('--notify-command <line>', 'run by the shell, with the event as JSON on its standard input')
      .option('--notify-url <address>', 'POST the event there: https, or http on this computer')
      .option('--notify-secret-file <file>', 'signs what is posted (X-Mailauth-Signature: sha256=HEX)')
      .option('--notify-mail <address>', 'one mail a run, sent as mailauth send does')
      .option('--notify-from <mailbox>', 'which set-up mailbox sends it, where several could')
      .optionsGroup('A timer (systemd of this user):')
      .option('--install', 'run it once a day, with these flags; asks first')
      .option('--uninstall', 'stop the timer and remove its files'),

  async run({ flags }, session) {
    const wish = readWish(flags, session);
    productFlag(flags);
    const change = timerChange(flags);
    if (change !== undefined) return changeTimer(session, change);
    const { records, broken } = await mailboxesOf(session).listMailboxes();
    const receivers = await readReceivers(flags, session, records);
    const filter = readFilter(flags);
    const chosen = records.filter((record) => isChosen(record, record.tenantId, filter));
    const kept: Kept[] = [];
    // One after the other: a timer is in no hurry, and Microsoft throttles many requests at once.
    const tokenAt = tokensAhead(chosen);
    for (const [index, record] of chosen.entries()) {
      const one = await keep(record, wish, session, (store) => tokenAt(store, index));
      kept.push(one);
      session.report.detail(`${record.mailbox}: ${one.state}`);
    }
    for (const file of broken) session.report.note(`Left out, because it cannot be read: ${file.file} (${file.why})`);
    const damaged = broken[0] === undefined ? undefined : problem('mailbox-file-broken', broken[0]);
    return outcomeOf(kept, damaged, wish, { session, notified: await tell(kept, records, receivers, session) });
  },
};

/** Throws `value-invalid` (exit 2). */
function readWish(flags: unknown, { ctx }: Session): Wish {
  const { renewAfter, warnDays = '14', jitter, test } = schema.parse(flags);
  const whole = (flag: string, value: string, unit: 'seconds' | 'days', right: number) =>
    readWhole(flag, value, { unit, minimum: 0, example: again({ [flag.slice(2)]: right }) });
  return {
    renewAfterDays: renewAfter === undefined ? defaultRenewAfterDays : readRenewAfter(whole('--renew-after', renewAfter, 'days', 7)),
    warnDays: whole('--warn-days', warnDays, 'days', 14),
    jitterLimitMs: jitter === undefined ? (ctx.interactive ? 0 : 30_000) : whole('--jitter', jitter, 'seconds', 30) * 1000,
    tests: test === undefined ? undefined : readProtocols(test),
  };
}

/** A sign-in that is not used for 90 days is lost, and a timer may miss some days. */
function readRenewAfter(days: number): number {
  if (days <= 80) return days;
  throw problem('value-invalid', {
    what: 'number of days',
    value: String(days),
    why: '--renew-after takes at most 80: a sign-in that is not used for 90 days is lost.',
    next: again({ renewAfter: 7 }),
  });
}

function readProtocols(value: string): readonly ProtocolWord[] | 'all' {
  if (value === 'all') return 'all';
  const named = value.split(',').map((word) => word.trim());
  if (named.every((word) => protocolWords.some((p) => p === word))) return protocolWords.filter((p) => named.includes(p));
  throw problem('value-invalid', {
    what: 'list of protocols to test',
    value,
    why: `--test takes any of ${protocolWords.join()}, or all.`,
    next: again({ test: 'imap,smtp' }),
  });
}

/** Runs of several machines that begin within this time are one: what the first has renewed is not due again. In milliseconds. */
const togetherMs = 15_000;

/** The error of one mailbox is part of its result, so that the others are kept alive too. Throws `Interrupted` alone. */
async function keep(
  record: MailboxRecord,
  wish: Wish,
  session: Session,
  read: (store: SecretStore) => Promise<TokenSet | undefined>,
): Promise<Kept> {
  const { ctx } = session;
  try {
    const store = await session.store(record);
    const stored = await read(store);
    if (stored === undefined) {
      const lost = lostSignIn(record, stored, ctx.clock.now());
      if (lost === undefined) return { record, state: 'idle', results: [] };
      throw lostSignIns([lost]);
    }
    const over = cannotRenew(record, stored) ? lostSignIn(record, stored, ctx.clock.now()) : undefined;
    if (over !== undefined) throw lostSignIns([over]);
    await session.refuseForeign(record, stored);
    // An app has no sign-in that ends for want of use, but a new token proves that its secret or certificate still works. A refusal of
    // last time may be over.
    const isDue = (set: TokenSet): boolean =>
      record.access === 'app-only' || record.refused !== undefined || wantsRenewal(set, ctx.clock.now(), wish.renewAfterDays);
    if (!isDue(stored)) return await afterwards(record, { state: 'fresh', set: stored }, wish, session);
    await ctx.clock.sleep(jitterMs(ctx.random.bytes(4), wish.jitterLimitMs), ctx.signal);
    return await inTurn<Kept>(store, record, stored, {
      elsewhere: async () => ({ record, state: 'elsewhere', set: stored, results: [] }),
      async act(there, { doneAgoMs, done }) {
        // Another machine may have renewed it since it was read here, or just before.
        const isFresh = (doneAgoMs ?? Number.POSITIVE_INFINITY) < togetherMs || (there.issuedAt !== stored.issuedAt && !isDue(there));
        const set = isFresh ? there : await tokenOf(session, record, { minValidityMs: 0, force: true });
        if (!isFresh) done();
        return afterwards(record, { state: isFresh ? 'fresh' : 'renewed', set }, wish, session);
      },
    });
  } catch (thrown) {
    if (thrown instanceof Interrupted || ctx.signal.aborted) throw thrown;
    return { record, state: 'failed', results: [], error: await asProblem(thrown, ctx) };
  }
}

async function afterwards(record: MailboxRecord, kept: Pick<Kept, 'state' | 'set'>, wish: Wish, session: Session): Promise<Kept> {
  const results = await tested(record, wish, session);
  return { record, ...kept, results, ...defined({ error: testError(results) }) };
}

async function tested(record: MailboxRecord, { tests }: Wish, session: Session): Promise<readonly ProtocolResult[]> {
  if (tests === undefined) return [];
  const wanted = record.protocols.filter((p) => tests === 'all' || tests.includes(p));
  if (wanted.length === 0) return [];
  const [network, cloud] = await Promise.all([session.network(), session.cloud(record)]);
  const token = async () => tokenOf(session, record, { minValidityMs: 60_000, force: false });
  const graphToken = async () => graphTokenOf(session, record, { minValidityMs: 60_000, force: false });
  const results = await runTests({
    ctx: session.ctx,
    network,
    cloud,
    record,
    protocols: wanted,
    timeoutMs: session.stepTimeoutMs,
    token,
    graphToken,
  });
  await remember(record, results, session);
  return results;
}

interface Told {
  readonly session: Session;
  readonly notified: Notified | undefined;
}

function outcomeOf(kept: readonly Kept[], damaged: MailauthError | undefined, wish: Wish, { session, notified }: Told): Outcome {
  const now = session.ctx.clock.now();
  const undelivered = notified?.undelivered.map(({ receiver, mailbox, why }) => `${receiver}, about ${mailbox} (${why})`) ?? [];
  for (const one of undelivered) session.report.note(`Notice not delivered, sent again next time: ${one}`);
  const unsaid = undelivered.length === 0 ? undefined : problem('notice-undelivered', { lines: undelivered });
  const error = commonError(kept, now, wish) ?? damaged ?? unsaid;
  return {
    data: { mailboxes: kept.map((one) => toJson(one, now, session)), ...defined({ notices: notified }) },
    ...defined({ error }),
    text: (theme) =>
      kept.length === 0 && damaged === undefined
        ? 'No such mailbox is set up: nothing to keep alive.\n'
        : kept.map((one) => render(one, now, session, theme)).join(''),
  };
}

/** Undefined where no receiver was named. */
async function tell(
  kept: readonly Kept[],
  records: readonly MailboxRecord[],
  receivers: Receivers,
  session: Session,
): Promise<Notified | undefined> {
  const standings = kept.map((one) => standingOf(one, session.ctx.clock.now()));
  const red = standings.flatMap((one, i) => (one.error === undefined ? [] : (kept[i]?.record ?? [])));
  const all = receivers(red);
  return all.length === 0 ? undefined : notify(all, { standings, setUps: records }, session);
}

/** The error of one mailbox as it is; of several with the same exit code the first; for different exit codes one error with exit 1. */
function commonError(kept: readonly Kept[], now: number, { warnDays }: Wish): MailauthError | undefined {
  const failed = kept.flatMap(({ record, error }) => (error === undefined ? [] : [{ record, error }]));
  const [first] = failed;
  if (first !== undefined) {
    if (failed.every(({ error }) => error.exit === first.error.exit)) return first.error;
    return problem('keepalive-red', { lines: failed.map(({ record, error }) => `${record.mailbox} (${error.title})`) });
  }
  const rows = kept.map(({ record }) => ({ record, ending: firstEnding(now, record) }));
  // This run has just renewed the sign-ins, except those that cannot be renewed.
  const endingHere = kept.flatMap(({ record, set }) =>
    set !== undefined && cannotRenew(record, set) ? [{ record, ending: firstEnding(now, record, set) }] : [],
  );
  return endsSoon('expires-soon', endingHere, warnDays) ?? endsSoon('secret-ends-soon', rows, warnDays);
}

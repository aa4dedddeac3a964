import * as z from 'zod/mini';
import { type ProtocolWord, protocolWords } from '../../core/cloud.ts';
import { defined } from '../../core/defined.ts';
import type { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { again } from '../../core/next.ts';
import { problem } from '../../errors/problem.ts';
import { type Notified, notify, type Receivers, readReceivers, wantsNotices } from '../../notices/notify.ts';
import { openToldFile } from '../../notices/told-file.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { readWhole } from '../../session/globals.ts';
import { mailboxesOf, productFlag } from '../../session/mailbox-argument.ts';
import { pagesOf } from '../../session/pages.ts';
import type { Session } from '../../session/session.ts';
import { filterOptions, isChosen, readFilter } from '../../session/set-up-filter.ts';
import type { BrokenFile } from '../../store/mailbox-file.ts';
import { tokensAhead } from '../../tokens/current.ts';
import { cannotRenew, defaultRenewAfterDays, firstEnding } from '../../tokens/lifetimes.ts';
import { endsSoon } from '../status/warnings.ts';
import { changeTimer, timerChange } from './install-timer.ts';
import { keep, type Wish } from './keep.ts';
import { type Kept, render, standingOf, toJson } from './kept.ts';

const schema = z.object({
  renewAfter: z.optional(z.string()),
  warnDays: z.optional(z.string()),
  jitter: z.optional(z.string()),
  test: z.optional(z.string()),
});

export const keepalive: CommandModule = {
  configure: (command) =>
    filterOptions(
      examples(command, [
        'mailauth keepalive                         once a day, from cron or a timer',
        'mailauth keepalive --test imap             and proves that the mailboxes still open',
        'mailauth keepalive --notify-mail it@contoso.com --notify-from relay@contoso.com',
        'mailauth keepalive --renew-after 1 --json',
        'mailauth keepalive --install               makes a timer that does so; asks first',
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
      .optionsGroup('A timer (systemd of this user, or the Task Scheduler of Windows):')
      .option('--install', 'run it once a day, with these flags; asks first')
      .option('--uninstall', 'stop the timer and remove its files'),

  async run({ flags }, session) {
    const wish = readWish(flags, session);
    productFlag(flags);
    const change = timerChange(flags);
    if (change !== undefined) return changeTimer(session, change);
    // Notices are about how each set-up stands, so all are remembered; otherwise only those that somebody must look at.
    const records = wantsNotices(flags) ? (await mailboxesOf(session).listMailboxes()).records : [];
    if (wantsNotices(flags)) await openToldFile(session.ctx, session.home, records);
    const receivers = await readReceivers(flags, session, records);
    const filter = readFilter(flags);
    const done: Done = { kept: [], said: [], broken: [] };
    const walk = {
      isChosen: (record: MailboxRecord) => isChosen(record, record.tenantId, filter),
      broken: (file: BrokenFile) => void done.broken.push(file),
    };
    for await (const page of pagesOf(session, walk)) {
      const tokenAt = tokensAhead(page);
      // One after the other: a timer is in no hurry, and Microsoft throttles many requests at once.
      for (const [index, record] of page.entries()) {
        const one = await keep(record, wish, session, (store) => tokenAt(store, index));
        const now = session.ctx.clock.now();
        done.said.push(toJson(one, now, session));
        if (records.length > 0 || isNotable(one, now, wish)) done.kept.push(one);
        session.report.detail(`${record.mailbox}: ${one.state}`);
      }
    }
    return outcomeOf(done, wish, { session, notified: await tell(done.kept, records, receivers, session) });
  },
};

/** A run so far. */
interface Done {
  readonly said: ReturnType<typeof toJson>[];
  /** those that the exit code or a notice may be about */
  readonly kept: Kept[];
  readonly broken: BrokenFile[];
}

/** May the exit code be about it? */
const isNotable = ({ record, set, error }: Kept, now: number, { warnDays }: Wish): boolean =>
  error !== undefined ||
  (set !== undefined && cannotRenew(record, set)) ||
  (firstEnding(now, record)?.days ?? Number.POSITIVE_INFINITY) < warnDays;

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

interface Told {
  readonly session: Session;
  readonly notified: Notified | undefined;
}

function outcomeOf({ kept, said, broken }: Done, wish: Wish, { session, notified }: Told): Outcome {
  for (const file of broken) session.report.note(`Left out, because it cannot be read: ${file.file} (${file.why})`);
  const damaged = broken[0] === undefined ? undefined : problem('mailbox-file-broken', broken[0]);
  const now = session.ctx.clock.now();
  const undelivered = notified?.undelivered.map(({ receiver, mailbox, why }) => `${receiver}, about ${mailbox} (${why})`) ?? [];
  for (const one of undelivered) session.report.note(`Notice not delivered, sent again next time: ${one}`);
  const unsaid = undelivered.length === 0 ? undefined : problem('notice-undelivered', { lines: undelivered });
  const error = commonError(kept, now, wish) ?? damaged ?? unsaid;
  return {
    data: { mailboxes: said, ...defined({ notices: notified }) },
    ...defined({ error }),
    text: (theme) =>
      said.length === 0 && damaged === undefined
        ? 'No such mailbox is set up: nothing to keep alive.\n'
        : said.map((one) => render(one, now, theme)).join(''),
  };
}

/** Undefined where no receiver was named. */
async function tell(
  kept: readonly Kept[],
  records: readonly MailboxRecord[],
  receivers: Receivers,
  session: Session,
): Promise<Notified | undefined> {
  // How a mailbox stands that another machine renews just now, that machine says.
  const here = kept.filter(({ state }) => state !== 'elsewhere');
  const standings = here.map((one) => standingOf(one, session.ctx.clock.now()));
  const red = standings.flatMap((one, i) => (one.error === undefined ? [] : (here[i]?.record ?? [])));
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

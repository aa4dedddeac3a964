import * as z from 'zod/mini';
import { defined } from '../../core/defined.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord, TokenSet } from '../../core/mailbox.ts';
import { again, mailauth } from '../../core/next.ts';
import { shown } from '../../core/shown.ts';
import { inWords, rfc3339 } from '../../core/time.ts';
import { problem } from '../../errors/problem.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { readWhole } from '../../session/globals.ts';
import { mailboxesOf, productFlag } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { isFileOf, mailboxSlug } from '../../store/mailbox-file.ts';
import { storedToken } from '../../tokens/current.ts';
import { cannotRenew, daysLeft, type Ending, firstEnding, refreshIdleDeadline } from '../../tokens/lifetimes.ts';
import { type MonitoredMailbox, nagiosStatus, prometheusStatus } from '../../ui/status-formats.ts';
import { renderFacts } from '../../ui/tables.ts';
import type { Theme } from '../../ui/theme.ts';
import { endsSoon, type Lost, lostSignIn, lostSignIns } from './warnings.ts';

const schema = z.object({ warnDays: z.optional(z.string()), format: z.optional(z.string()), for: z.optional(z.string()) });

interface Row {
  readonly record: MailboxRecord;
  readonly set: TokenSet | undefined;
  /** false where the store could not be read, so that it is not known whether the mailbox is signed in */
  readonly storeRead: boolean;
  readonly lost: Lost | undefined;
  readonly storeText: string;
  readonly ending: Ending | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
}

export const status: CommandModule = {
  configure: (command) =>
    examples(command.argument('[mailbox]', 'only this one'), [
      'mailauth status',
      'mailauth status --json',
      'mailauth status --warn-days 30             exit 1 if something ends within 30 days',
      'mailauth status --format nagios            one line, exit 0, 1, 2 or 3 as plugins do',
      'mailauth status --format prometheus        for node_exporter, textfile collector',
    ])
      .option('--warn-days <n>', 'warn by exit code 1 this many days ahead (default: 14)')
      .option('--format <format>', 'text, nagios or prometheus (default: text)')
      .option('--for <product>', 'only the set-ups for this product'),

  async run({ args, flags }, session) {
    const options = schema.parse(flags);
    productFlag(flags);
    const warnDays = readWhole('--warn-days', options.warnDays ?? '14', {
      unit: 'days',
      minimum: 0,
      example: again({ warnDays: 14 }),
    });
    const format = readFormat(options.format ?? 'text', session);
    const { records, broken } = await mailboxesOf(session).listMailboxes();
    const wanted = args[0]?.trim().toLowerCase();
    const chosen = records.filter(
      (r) => (wanted === undefined || r.mailbox === wanted) && (options.for === undefined || r.for === options.for),
    );
    if (wanted !== undefined && chosen.length === 0 && !broken.some(({ file }) => isFileOf(file, { mailbox: wanted, for: options.for }))) {
      const unknown = problem('mailbox-unknown', { mailbox: wanted, known: records.map((r) => r.mailbox) });
      // The output of a Nagios plugin is one line, so the error stands in it.
      if (format === 'nagios') return { ...nagiosStatus([], warnDays, unknown.title) };
      throw unknown;
    }
    for (const file of broken) session.report.note(`Left out, because it cannot be read: ${file.file} (${file.why})`);
    const { rows, storeError } = await readAll(chosen, session);
    const firstBroken = broken[0];
    const damaged = firstBroken && problem('mailbox-file-broken', firstBroken);
    const lost = lostSignIns(rows.flatMap((row) => row.lost ?? []));
    const steered = await firstSteered(chosen, session);
    const error = storeError ?? steered ?? damaged ?? lost ?? endsSoon('expires-soon', rows, warnDays);
    const outcome = outcomeOf(rows, session, error, records.length === 0 ? undefined : options.for);
    if (format === 'prometheus') return { ...outcome, text: prometheusStatus(rows.map(monitored)) };
    if (format === 'text') return outcome;
    const { error: _, ...kept } = outcome;
    return { ...kept, ...nagiosStatus(rows.map(monitored), warnDays, (storeError ?? steered ?? damaged)?.title) };
  },
};

const formats = ['text', 'nagios', 'prometheus'] as const;

/** Throws `value-invalid`, `usage` (exit 2). */
function readFormat(value: string, { globals }: Session): (typeof formats)[number] {
  const known = formats.find((name) => name === value);
  if (known === undefined) {
    throw problem('value-invalid', {
      what: 'status format',
      value,
      why: `--format takes ${formats.join(', ')}.`,
      next: mailauth('status', { format: 'nagios' }),
    });
  }
  if (globals.json && known !== 'text') {
    throw problem('usage', {
      message: `--json and --format ${known} are two different outputs`,
      help: mailauth('status', { format: known }),
    });
  }
  return known;
}

const monitored = (row: Row): MonitoredMailbox => {
  const { record, set, ending } = row;
  const deadline = set && refreshIdleDeadline(set);
  const secretExpires = record.registration.secretExpiresAt;
  return {
    mailbox: record.mailbox,
    for: record.for,
    ...(row.storeRead ? { signedIn: isSignedIn(row) } : {}),
    ...(row.lost === undefined ? {} : { lost: row.lost.why }),
    daysLeft: ending?.days ?? null,
    lastTests: record.lastTests,
    ...(set === undefined ? {} : { accessTokenExpiresAt: set.expiresAt }),
    ...defined({ refreshTokenIdleDeadline: deadline }),
    ...(secretExpires === undefined ? {} : { secretExpiresAt: Date.parse(secretExpires) }),
  };
};

/** Nothing that is shown here goes anywhere, so the table is shown all the same; the next command that sends a token would end with this. */
async function firstSteered(records: readonly MailboxRecord[], session: Session): Promise<MailauthError | undefined> {
  for (const record of records) {
    try {
      await session.refuseSteered(record);
    } catch (error) {
      if (error instanceof MailauthError) return error;
      throw error;
    }
  }
  return undefined;
}

/** Without the network. Where a store cannot be read, only the lines about the token are missing. */
async function readAll(records: readonly MailboxRecord[], session: Session): Promise<{ rows: Row[]; storeError?: MailauthError }> {
  const now = session.ctx.clock.now();
  const rows: Row[] = [];
  // A store that cannot be opened is asked once; a damaged entry says nothing about the others.
  const errors = new Map<string, MailauthError>();
  const read = async (record: MailboxRecord): Promise<Pick<Row, 'set' | 'storeRead' | 'storeText'>> => {
    const failed = { set: undefined, storeRead: false, storeText: String(record.store) };
    try {
      if (errors.has(record.store)) return failed;
      const store = await session.storeToShow(record);
      failed.storeText = store.describe();
      return { set: await storedToken(store, record), storeRead: true, storeText: failed.storeText };
    } catch (error) {
      if (!(error instanceof MailauthError)) throw error;
      errors.set(error.code === 'store-damaged' ? mailboxSlug(record) : record.store, error);
      return failed;
    }
  };
  for (const record of records) {
    const { set, storeRead, storeText } = await read(record);
    rows.push({
      record,
      set,
      storeRead,
      lost: storeRead ? lostSignIn(record, set, now) : undefined,
      storeText,
      ending: firstEnding(now, record, set),
      now,
    });
  }
  const [storeError] = errors.values();
  return { rows, ...defined({ storeError }) };
}

/** A token that has expired and cannot be renewed is no sign-in any more. */
const isSignedIn = ({ record, set, now }: Row): boolean => set !== undefined && !(cannotRenew(record, set) && set.expiresAt <= now);

/** `data.mailboxes[]` of `status --json` (docs/contract.md, "JSON"). */

function toJson(row: Row) {
  const { record, set, ending } = row;
  const deadline = set === undefined ? undefined : refreshIdleDeadline(set);
  // All tests of one run have the same time: a failed one is shown first, else the one that was noted last.
  const newest = [...record.lastTests.map((t) => t.at)].sort().at(-1);
  const latest = record.lastTests.filter((t) => t.at === newest);
  const lastTest = latest.find((t) => !t.ok) ?? latest.at(-1);
  return {
    mailbox: record.mailbox,
    for: record.for,
    tenantId: record.tenantId,
    clientId: record.registration.clientId,
    ...(record.access === undefined ? {} : { access: record.access }),
    signedIn: isSignedIn(row),
    account: set?.account.username ?? null,
    accessTokenExpiresAt: set === undefined ? null : rfc3339(set.expiresAt),
    lastRefreshedAt: set === undefined ? null : rfc3339(set.issuedAt),
    refreshTokenIdleDeadline: deadline === undefined ? null : rfc3339(deadline),
    secretExpiresAt: record.registration.secretExpiresAt ?? null,
    ...(record.registration.certificateThumbprint === undefined
      ? {}
      : { certificateThumbprint: record.registration.certificateThumbprint }),
    daysLeft: ending?.days ?? null,
    scopes: set?.scopes ?? record.scopes,
    store: record.store,
    lastTest: lastTest ?? null,
    lastRefusal: record.refused ?? null,
  };
}

function outcomeOf(rows: readonly Row[], session: Session, error: MailauthError | undefined, product: string | undefined): Outcome {
  return {
    data: { mailboxes: rows.map(toJson) },
    ...defined({ error }),
    text: (theme) =>
      rows.length === 0
        ? error !== undefined
          ? ''
          : `No mailbox is set up${product === undefined ? ' yet' : ` for ${product}`}.\n  try: ${theme.cyan(shown(mailauth('setup', { for: product }), session.ctx.surroundings))}\n`
        : rows.map((row) => renderRow(row, theme)).join('\n'),
  };
}

function renewal(record: MailboxRecord, set: TokenSet, lost: Lost | undefined): string {
  if (cannotRenew(record, set)) return ', cannot be renewed: there is no refresh token';
  return lost === undefined ? ', renewed by itself' : '';
}

function renderRow({ record, set, storeRead, lost, storeText, now }: Row, theme: Theme): string {
  const deadline = set === undefined ? undefined : refreshIdleDeadline(set);
  const unlost = set === undefined ? theme.yellow(theme.signs.warning) : theme.green(theme.signs.ok);
  const sign = lost === undefined ? unlost : theme.red(theme.signs.failed);
  const nobody = storeRead ? 'no' : 'not known: the store cannot be read';
  const tests = record.lastTests.map((t) => `${t.protocol} ${t.ok ? 'ok' : `failed (${t.code ?? 'unknown'})`} ${t.at}`);
  const facts: (readonly [string, string])[] = [
    record.access === 'app-only'
      ? ['Access', `app-only: the app on its own, nobody signs in${set === undefined && storeRead ? '; it has no token' : ''}`]
      : ['Signed in', set === undefined ? nobody : `as ${set.account.username}`],
    ['Tenant', record.tenantId],
    ['App', record.registration.clientId],
  ];
  if (set !== undefined)
    facts.push(
      ['Access token', `until ${rfc3339(set.expiresAt)} (${inWords(set.expiresAt - now)})${renewal(record, set, lost)}`],
      ['Last renewed', rfc3339(set.issuedAt)],
    );
  if (record.refused !== undefined) facts.push(['Last refusal', `${record.refused.code}, ${record.refused.at}`]);
  if (deadline !== undefined) facts.push(['Sign-in needed', `if unused until ${rfc3339(deadline)} (${daysLeft(now, deadline)} days)`]);
  if (record.registration.secretExpiresAt !== undefined)
    facts.push([
      record.registration.certificateThumbprint === undefined ? 'Client secret' : 'Certificate',
      `until ${record.registration.secretExpiresAt}`,
    ]);
  facts.push(['Stored in', storeText], ['Last tests', tests.length === 0 ? 'none' : tests.join('\n')]);
  return `${sign} ${theme.bold(record.mailbox)} for ${record.for}\n${renderFacts(facts, theme)}`;
}

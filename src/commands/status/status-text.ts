import { defined } from '../../core/defined.ts';
import { columnsOf } from '../../core/fold.ts';
import { isHandedOver } from '../../core/mailbox.ts';
import { mailauth } from '../../core/next.ts';
import { shown } from '../../core/shown.ts';
import { inWords, rfc3339 } from '../../core/time.ts';
import type { Session } from '../../session/session.ts';
import { cannotRenew, daysLeft, refreshIdleDeadline } from '../../tokens/lifetimes.ts';
import { renderStatusTable, type StatusLine, signOf } from '../../ui/status-table.ts';
import { renderFacts } from '../../ui/tables.ts';
import type { Theme } from '../../ui/theme.ts';
import type { PendingSetUp } from './pending.ts';
import type { Row, SetUpState } from './status-rows.ts';
import { isFine, type Survey } from './survey.ts';

/** What `status` shows of the set-ups that were chosen. */
export interface Overview {
  readonly rows: readonly Row[];
  readonly pending: readonly PendingSetUp[];
  readonly warnDays: number;
  /** set-ups that are fine and not in `rows` */
  readonly fine?: Survey['fine'];
}

export interface Summary {
  readonly total: number;
  readonly ok: number;
  readonly ending: number;
  readonly over: number;
  readonly pending: number;
}

/** `data.summary` of `status --json`: a healthy hand-over is ok. */
export function summaryOf({ rows, pending, fine }: Overview): Summary {
  const more = fine?.count ?? 0;
  const count = (...states: readonly SetUpState[]) => rows.filter(({ state }) => states.includes(state)).length;
  return {
    total: rows.length + more,
    ok: count('ok', 'handed-over') + more,
    ending: count('ending'),
    over: count('over'),
    pending: pending.length,
  };
}

/** One summary line and a table of what needs somebody; the fine ones as one line, or all with `all`. */
export function manyText(overview: Overview, { ctx }: Session, theme: Theme, all: boolean): string {
  const { rows, pending, warnDays } = overview;
  const summary = summaryOf(overview);
  const tenants = new Set([...rows.map(({ record }) => record.tenantId), ...(overview.fine?.tenants ?? [])]).size;
  const parts = [
    ...(summary.total === 0 && pending.length > 0
      ? []
      : [`${many(summary.total, 'set-up')}${tenants > 1 ? ` in ${tenants} tenants` : ''}`]),
    ...(summary.over === 0 ? [] : [`${summary.over} over`]),
    ...(summary.ending === 0 ? [] : [`${summary.ending} ${summary.ending === 1 ? 'ends' : 'end'} within ${many(warnDays, 'day')}`]),
    ...(summary.pending === 0 ? [] : [`${summary.pending} ${summary.pending === 1 ? 'waits' : 'wait'}`]),
  ];
  const listed = [...rows.filter((row) => !isFine(row)).map(rowLine), ...pending.map((one) => pendingLine(one, ctx.clock.now()))];
  const fine = rows.filter(isFine);
  const table = renderStatusTable(all ? [...listed, ...fine.map(rowLine)] : listed, theme, columnsOf(ctx.out), all);
  const fineCount = fine.length + (overview.fine?.count ?? 0);
  const rest = all || fineCount === 0 ? '' : `${theme.green(theme.signs.ok)} ${fineCount} fine  (--all lists them)\n`;
  const [first] = pending;
  const goOn = first === undefined ? '' : `  next: ${theme.cyan(first.next[0] ?? '')}\n`;
  return `${theme.bold(parts.join(' · '))}\n${table}${rest}${goOn}`;
}

const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** Nothing is set up for this: how to begin. */
export const noneText = ({ ctx }: Session, product: string | undefined, theme: Theme): string =>
  `No mailbox is set up${product === undefined ? ' yet' : ` for ${product}`}.\n  try: ${theme.cyan(shown(mailauth('setup', { for: product }), ctx.surroundings))}\n`;

const signOfState = { over: 'over', ending: 'ending', ok: 'fine', 'handed-over': 'fine' } as const;

function rowLine({ record, lost, ending, state }: Row): StatusLine {
  return {
    ...defined({ label: record.label }),
    sign: state === null ? 'unknown' : signOfState[state],
    ends: lost === undefined ? ends(ending?.days) : 'over',
    mailbox: record.mailbox,
    product: record.for,
    what: lost === undefined ? (ending?.what ?? '–') : 'sign-in',
    lastTest: tests(record),
  };
}

function ends(days: number | undefined): string {
  if (days === undefined) return '–';
  if (days === 0 || days === -1) return 'today';
  return days > 0 ? `in ${many(days, 'day')}` : `${many(-days - 1, 'day')} ago`;
}

function tests({ lastTests }: Row['record']): string {
  if (lastTests.length === 0) return '–';
  const red = lastTests.filter(({ ok }) => !ok).map(({ protocol }) => protocol);
  return red.length === 0 ? 'ok' : `${red.join(', ')} failed`;
}

const pendingLine = ({ mailbox, label, for: product, waitsFor, since }: PendingSetUp, now: number): StatusLine => ({
  ...defined({ label }),
  sign: 'waiting',
  ends: 'waiting',
  mailbox,
  product,
  what: `${waitsFor === 'administrator' ? 'administrator' : 'interrupted'}, ${inWords(Date.parse(since) - now)}`,
  lastTest: '–',
});

/** Everything that is known of one set-up. */
export function oneText({ record, set, storeRead, lost, storeText, state, now }: Row, theme: Theme): string {
  const deadline = set === undefined ? undefined : refreshIdleDeadline(set);
  const nobody = storeRead
    ? isHandedOver(record)
      ? 'by the product itself, which keeps its tokens'
      : 'no'
    : 'not known: the store cannot be read';
  const tested = record.lastTests.map((t) => `${t.protocol} ${t.ok ? 'ok' : `failed (${t.code ?? 'unknown'})`} ${t.at}`);
  const facts: (readonly [string, string])[] = [
    record.access === 'app-only'
      ? ['Access', `app-only: the app on its own, nobody signs in${set === undefined && storeRead ? '; it has no token' : ''}`]
      : ['Signed in', set === undefined ? nobody : `as ${set.account.username}`],
    ...(record.label === undefined ? [] : [['Label', record.label] as [string, string]]),
    ['Tenant', record.tenantId],
    ['App', record.registration.clientId],
  ];
  if (set !== undefined)
    facts.push(
      ['Access token', `until ${rfc3339(set.expiresAt)} (${inWords(set.expiresAt - now)})${renewal(set, record, lost !== undefined)}`],
      ['Last renewed', rfc3339(set.issuedAt)],
    );
  if (record.refused !== undefined) facts.push(['Last refusal', `${record.refused.code}, ${record.refused.at}`]);
  if (deadline !== undefined) facts.push(['Sign-in needed', `if unused until ${rfc3339(deadline)} (${daysLeft(now, deadline)} days)`]);
  const { secretExpiresAt, certificateThumbprint } = record.registration;
  if (secretExpiresAt !== undefined)
    facts.push([
      certificateThumbprint === undefined ? 'Client secret' : 'Certificate',
      `until ${secretExpiresAt} (${inWords(Date.parse(secretExpiresAt) - now)})`,
    ]);
  facts.push(['Stored in', storeText], ['Last tests', tested.length === 0 ? 'none' : tested.join('\n')]);
  const sign = signOf({ sign: state === null ? 'unknown' : signOfState[state] }, theme);
  return `${sign} ${theme.bold(record.mailbox)} for ${record.for}\n${renderFacts(facts, theme)}`;
}

function renewal(set: NonNullable<Row['set']>, record: Row['record'], isLost: boolean): string {
  if (cannotRenew(record, set)) return ', cannot be renewed: there is no refresh token';
  return isLost ? '' : ', renewed by itself';
}

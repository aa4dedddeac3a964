import * as z from 'zod/mini';
import { defined } from '../../core/defined.ts';
import { MailauthError } from '../../core/errors.ts';
import type { MailboxRecord } from '../../core/mailbox.ts';
import { again, mailauth } from '../../core/next.ts';
import { bareAddress } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import { type CommandModule, examples, type Outcome } from '../../session/command.ts';
import { readWhole } from '../../session/globals.ts';
import { productFlag } from '../../session/mailbox-argument.ts';
import type { Session } from '../../session/session.ts';
import { filterOptions, isChosen, readFilter, type SetUpFilter } from '../../session/set-up-filter.ts';
import { isFileOf } from '../../store/mailbox-file.ts';
import { nagiosStatus, prometheusStatus, statusCsv } from '../../ui/status-formats.ts';
import { pendingSetUps } from './pending.ts';
import { monitored, rowJson } from './status-rows.ts';
import { manyText, noneText, type Overview, oneText, summaryOf } from './status-text.ts';
import { survey } from './survey.ts';
import { endsSoon, lostSignIns } from './warnings.ts';

const schema = z.object({
  warnDays: z.optional(z.string()),
  ending: z.optional(z.string()),
  format: z.optional(z.string()),
  all: z.optional(z.boolean()),
});

/** Which set-ups are shown. `ending` in days. */
interface Filters extends SetUpFilter {
  readonly ending?: number;
}

export const status: CommandModule = {
  configure: (command) =>
    filterOptions(
      examples(command.argument('[mailbox]', 'only this one'), [
        'mailauth status',
        'mailauth status --json',
        'mailauth status --warn-days 30             exit 1 if something ends within 30 days',
        'mailauth status --ending 30 --format csv   what is over or ends, for a spreadsheet',
        'mailauth status --label Contoso --all      every set-up of one customer',
        'mailauth status --format nagios            one line, exit 0, 1, 2 or 3 as plugins do',
        'mailauth status --format prometheus        for node_exporter, textfile collector',
      ])
        .option('--warn-days <n>', 'warn by exit code 1 this many days ahead (default: 14)')
        .option('--ending <days>', 'only what is over or ends within this many days')
        .option('--for <product>', 'only the set-ups for this product'),
    )
      .option('--all', 'list every set-up, also those that are fine')
      .option('--format <format>', 'text, csv, nagios or prometheus (default: text)'),

  async run({ args, flags }, session) {
    const options = schema.parse(flags);
    productFlag(flags);
    const days = (flag: string, value: string, example: Parameters<typeof again>[0]) =>
      readWhole(flag, value, { unit: 'days', minimum: 0, example: again(example) });
    const warnDays = days('--warn-days', options.warnDays ?? '14', { warnDays: 14 });
    const filters: Filters = defined({
      ...readFilter(flags),
      mailbox: args[0] === undefined ? undefined : bareAddress(args[0]).toLowerCase(),
      ending: options.ending === undefined ? undefined : days('--ending', options.ending, { ending: 30 }),
    });
    const format = readFormat(options.format ?? 'text', session);
    try {
      return await statusOf(filters, { warnDays, format, all: options.all === true }, session);
    } catch (error) {
      // The output of a Nagios plugin is one line, so the error stands in it.
      if (format === 'nagios' && error instanceof MailauthError) return nagiosStatus([], warnDays, error.title);
      throw error;
    }
  },
};

interface Shape {
  readonly warnDays: number;
  readonly format: Format;
  /** list those that are fine, too */
  readonly all: boolean;
}

/** Throws `mailbox-unknown` (4), and why the set-ups cannot be listed. */
async function statusOf(filters: Filters, { warnDays, format, all }: Shape, session: Session): Promise<Outcome> {
  const eachIsSaid = session.globals.json || format !== 'text' || all || filters.mailbox !== undefined;
  const chosen = (record: MailboxRecord): boolean => isChosen(record, record.tenantId, filters);
  const { ending } = filters;
  const found = await survey(session, { isChosen: chosen, warnDays, eachIsSaid, ...defined({ ending }) });
  const { broken, fine } = found;
  const pending = ending === undefined ? (await pendingSetUps(session)).filter((one) => isChosen(one, one.tenant, filters)) : [];
  if (filters.mailbox !== undefined && found.rows.length + pending.length === 0 && !broken.some(({ file }) => isFileOf(file, filters))) {
    throw problem('mailbox-unknown', { mailbox: filters.mailbox, known: found.known });
  }
  for (const file of broken) session.report.note(`Left out, because it cannot be read: ${file.file} (${file.why})`);
  const rows =
    ending === undefined ? found.rows : found.rows.filter((row) => row.state === 'over' || (row.ending?.days ?? ending) < ending);
  const firstBroken = broken[0];
  // Nothing that is shown here goes anywhere, so the table is shown all the same.
  const trouble = found.storeError ?? found.steered ?? (firstBroken && problem('mailbox-file-broken', firstBroken));
  const overview: Overview = { rows, pending, warnDays, ...(ending === undefined ? { fine } : {}) };
  const error = trouble ?? lostSignIns(rows.flatMap((row) => row.lost ?? [])) ?? endingError(overview);
  const outcome = outcomeOf(overview, session, error, { ...filters, all, isNew: found.known.length === 0 });
  if (format === 'nagios') return { data: outcome.data, ...nagiosStatus(rows.map(monitored), warnDays, trouble?.title) };
  if (format === 'prometheus') return { ...outcome, text: prometheusStatus(rows.map(monitored)) };
  return format === 'csv' ? { ...outcome, text: statusCsv([...rows.map(rowJson), ...pending]) } : outcome;
}

const endingError = ({ rows }: Overview): MailauthError | undefined =>
  endsSoon(
    'expires-soon',
    rows.filter(({ state }) => state === 'over' || state === 'ending'),
    Number.POSITIVE_INFINITY,
  );

const formats = ['text', 'csv', 'nagios', 'prometheus'] as const;
type Format = (typeof formats)[number];

/** Throws `value-invalid`, `usage` (exit 2). */
function readFormat(value: string, { globals }: Session): Format {
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

interface Wanted extends Filters {
  readonly all: boolean;
  /** nothing at all is set up here yet */
  readonly isNew: boolean;
}

function outcomeOf(overview: Overview, session: Session, error: MailauthError | undefined, wanted: Wanted): Outcome {
  const { rows, pending } = overview;
  const summary = summaryOf(overview);
  const isOne = wanted.mailbox !== undefined ? rows.length > 0 : summary.total === 1 && pending.length === 0 && wanted.ending === undefined;
  return {
    data: {
      mailboxes: rows.map(rowJson),
      pending: pending.map(({ tenant: _, ...one }) => one),
      summary,
    },
    ...defined({ error }),
    text: (theme) => {
      if (isOne) {
        const waiting = pending.length === 0 ? [] : [manyText({ ...overview, rows: [] }, session, theme, false)];
        return [...rows.map((row) => oneText(row, theme)), ...waiting].join('\n');
      }
      if (summary.total + pending.length > 0 || wanted.ending !== undefined) return manyText(overview, session, theme, wanted.all);
      return error === undefined ? noneText(session, wanted.isNew ? undefined : wanted.for, theme) : '';
    },
  };
}

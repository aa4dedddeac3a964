import { defined } from '../../core/defined.ts';
import { Exit } from '../../core/errors.ts';
import { columnsOf, fold } from '../../core/fold.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';
import type { Outcome } from '../../session/command.ts';
import type { Session } from '../../session/session.ts';
import type { Columns } from '../../setup/many/columns.ts';
import { faultWords, inOrder, type ListFault } from '../../setup/many/list-fault.ts';
import { type PlannedRow, plannedJson, type RowPlan, signInsOf } from '../../setup/many/plan-rows.ts';
import { counted, planText } from '../../setup/many/plan-text.ts';
import { commonExit, type RowResult } from '../../setup/many/row-result.ts';
import { type Theme, themeFor } from '../../ui/theme.ts';

const mostFaults = 20;

/** All that is wrong, for a person in lines and for a program as data. */
export function faulty(file: string, found: readonly ListFault[], { ctx, globals, report }: Session): Outcome {
  const faults = inOrder(found);
  const lines = faults.map(faultWords);
  const [first] = faults;
  const error = problem(
    'list-faulty',
    { file: plain(file), faults: lines },
    { detail: defined({ row: first?.row, column: first?.column }) },
  );
  if (faults.length > 1 && !globals.json) {
    const left = lines.length > mostFaults ? [`and ${lines.length - mostFaults} more`] : [];
    const { signs, red } = themeFor(ctx, ctx.err, globals.noColor);
    report.show([...lines.slice(0, mostFaults).map((line) => `${red(signs.failed)} ${line}`), ...left, ''].join('\n'));
  }
  return { error, data: { faults: faults.slice(0, 100), total: faults.length } };
}

/** `--dry-run`. A tenant that could not be looked up just now is no fault of the list. */
export function planned({ rows }: RowPlan, { ctx }: Session): Outcome {
  const signIns = signInsOf(rows, ctx.env);
  const wrong = rows.filter(({ error }) => error !== undefined && error.exit !== Exit.temporary);
  const exits = new Set(wrong.map(({ error }) => error?.exit ?? Exit.failed));
  const [common = Exit.failed] = exits;
  const error =
    wrong.length === 0
      ? undefined
      : problem('set-ups-failed', { failed: wrong.length, total: rows.length, isPlan: true }).but({
          exit: exits.size === 1 ? common : Exit.failed,
        });
  const count = (state: PlannedRow['state']): number => rows.filter((row) => row.state === state).length;
  return {
    data: {
      dryRun: true,
      rows: rows.map(plannedJson),
      summary: { total: rows.length, new: count('new'), interrupted: count('interrupted'), finished: count('finished'), signIns },
    },
    ...defined({ error }),
    text: (theme) => planText(rows, signIns, theme, columnsOf(ctx.out)),
  };
}

/** How all rows ended, in the order of the list. */
export function finished(results: readonly RowResult[], rows: readonly PlannedRow[], { ctx }: Session): Outcome {
  const bad = results.filter(({ ok }) => !ok);
  const before = rows.filter(({ state }) => state === 'finished').length;
  const waiting = results.filter(({ ok, next }) => ok && next !== undefined).length;
  const error =
    bad.length === 0
      ? undefined
      : problem('set-ups-failed', { failed: bad.length, total: results.length }).but({ exit: commonExit(results) });
  const summary = { total: results.length, ok: results.length - bad.length, failed: bad.length, before, waiting };
  return {
    data: { rows: results, summary },
    ...defined({ error }),
    text: (theme) => finishedText(results, summary, theme, columnsOf(ctx.out)),
  };
}

interface Summary {
  readonly ok: number;
  readonly before: number;
  readonly waiting: number;
}

function finishedText(results: readonly RowResult[], { ok, before, waiting }: Summary, theme: Theme, columns: number): string {
  const { signs, red, green, bold, cyan } = theme;
  const bad = results
    .filter((one) => !one.ok)
    .map(({ row, mailbox, title, code, next }) => {
      const [first] = next ?? [];
      const tries = first === undefined ? '' : `    try: ${cyan(first)}\n`;
      return `${red(signs.failed)} ${fold(`Row ${row}, ${mailbox}: ${title} (${code})`, columns, 2)}\n${tries}`;
    });
  const more = [
    ...(before > 0 ? [`${before} ${before === 1 ? 'was' : 'were'} finished before`] : []),
    ...(waiting > 0 ? [`${waiting} ${waiting === 1 ? 'waits' : 'wait'} for an administrator`] : []),
  ];
  const all = `${ok} of ${counted(results.length, 'set-up')} ${ok === 1 ? 'is' : 'are'} fine${more.length === 0 ? '' : `: ${more.join(', ')}`}.`;
  return `${bad.join('')}${bad.length === 0 ? `${green(signs.ok)} ` : ''}${bold(fold(all, columns, 2))}\n`;
}

/** Rows that a list can begin with: `--from` takes them as they are, with `--dry-run`. Columns of other flags can be added. */
export function template({ byName }: Columns): Outcome {
  const names = ['mailbox', 'for', 'sign-in-as', 'tenant', 'register', 'client-id', 'redirect-uri', 'protocols', 'label', 'no-test'];
  const header = names.filter((name) => byName.has(name));
  const examples: readonly Readonly<Record<string, string>>[] = [
    { mailbox: 'helpdesk@contoso.com' },
    { mailbox: 'shared@contoso.com', 'sign-in-as': 'ada@contoso.com', protocols: 'imap,smtp' },
    { mailbox: 'tickets@fabrikam.com', for: 'osticket', 'redirect-uri': 'https://help.fabrikam.com/api/auth/oauth2', label: 'Fabrikam' },
    {
      mailbox: 'relay@fabrikam.com',
      tenant: 'fabrikam.com',
      register: 'existing',
      'client-id': '11111111-2222-3333-4444-555555555555',
      protocols: 'smtp',
      label: 'Fabrikam',
      'no-test': 'true',
    },
  ];
  const quoted = (value: string): string => (value.includes(',') ? `"${value}"` : value);
  const csv = [header, ...examples.map((one) => header.map((name) => quoted(one[name] ?? '')))]
    .map((cells) => `${cells.join(',')}\n`)
    .join('');
  return { data: { template: csv, columns: [...byName.keys()] }, text: csv };
}

import { fold } from '../../core/fold.ts';
import { adminApp } from '../../oauth/admin-refusal.ts';
import type { Theme } from '../../ui/theme.ts';
import type { RegisterWay } from '../answers/answers.ts';
import { isShared } from '../answers/question.ts';
import type { PlannedRow, SignIns } from './plan-rows.ts';

const heads: readonly string[] = ['ROW', 'MAILBOX', 'FOR', 'TENANT'];

const wayWords: Readonly<Record<RegisterWay, string>> = {
  auto: 'registers an app',
  portal: 'uses the app from the portal',
  existing: 'uses an app that exists',
  handoff: 'writes for an administrator',
};

export function whatOf({ state, error, answers }: PlannedRow): string {
  if (error !== undefined) return error.title;
  if (state === 'finished') return 'set up already';
  const way = answers.register === 'auto' && isShared(answers) ? 'through one app for all' : wayWords[answers.register];
  return state === 'interrupted' ? `goes on, ${way}` : way;
}

/** What is set up where, and how many people sign in for it. Ends with a newline. */
export function planText(rows: readonly PlannedRow[], signIns: SignIns, theme: Theme, columns: number): string {
  const sentences = [tally(rows), ...signInWords(signIns)];
  return `\n${table(rows, theme, columns)}\n${sentences.map((text) => `  ${fold(text, columns, 2)}\n`).join('')}\n`;
}

const leastForWhat = 24;

/** As wide as its longest values; where `columns` has no room for the last one beside the others, each row takes two lines. */
function table(rows: readonly PlannedRow[], theme: Theme, columns: number): string {
  const lines = rows.map((one) => ({
    sign: signOf(one, theme),
    what: whatOf(one),
    cells: [String(one.row), one.key.mailbox, one.key.for, one.tenant],
  }));
  const widths = heads.map((head, i) => Math.max(head.length, ...lines.map(({ cells }) => cells[i]?.length ?? 0)));
  const padded = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ');
  const at = 2 + widths.reduce((sum, one) => sum + one + 2, 0);
  if (at + leastForWhat > columns)
    return lines
      .map(({ sign, what, cells: [row, mailbox, product, tenant] }) => {
        const facts = fold([product, tenant, what].join(', '), columns, 4);
        return `${sign} ${fold(`${row} ${mailbox}`, columns, 2)}\n    ${theme.dim(facts)}\n`;
      })
      .join('');
  const body = lines.map(({ sign, what, cells }) => `${sign} ${padded(cells)}  ${fold(what, columns, at)}\n`);
  return [`  ${theme.dim(`${padded(heads)}  WHAT`)}\n`, ...body].join('');
}

function signOf({ error, state }: PlannedRow, { signs, red, green }: Theme): string {
  if (error !== undefined) return red(signs.failed);
  return state === 'finished' ? green(signs.ok) : ' ';
}

function tally(rows: readonly PlannedRow[]): string {
  const count = (has: (row: PlannedRow) => boolean): number => rows.filter(has).length;
  const open = (state: PlannedRow['state']) => count((row) => row.error === undefined && row.state === state);
  const parts = [
    [open('new'), 'new'],
    [open('interrupted'), 'to go on with'],
    [open('finished'), 'set up already'],
    [count(({ error }) => error !== undefined), 'without a tenant'],
  ] as const;
  const said = parts.filter(([number]) => number > 0).map(([number, words]) => `${number} ${words}`);
  const tenants = new Set(rows.map(({ tenant, tenantId }) => tenantId ?? tenant)).size;
  return `${counted(rows.length, 'set-up')} in ${counted(tenants, 'tenant')}: ${said.join(', ')}.`;
}

const timesIn = (tenants: number): string => (tenants === 1 ? 'once' : `${tenants} times, once for each tenant`);

const signInWords = ({ administrator, exchange, mailbox }: SignIns): readonly string[] => [
  ...(administrator === 0 ? [] : [`An administrator signs in ${timesIn(administrator)}, through Microsoft's own "${adminApp.name}".`]),
  ...(exchange === 0 ? [] : [`For Exchange Online an administrator signs in ${timesIn(exchange)}.`]),
  ...(mailbox === 0 ? [] : [`${counted(mailbox, 'mailbox', 'mailboxes')} ${mailbox === 1 ? 'signs' : 'sign'} in on this computer.`]),
];

export const counted = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`;

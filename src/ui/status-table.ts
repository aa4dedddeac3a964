import { fold } from '../core/fold.ts';
import { domainOf } from '../core/text.ts';
import type { Theme } from './theme.ts';

/** One line of `status` for many: a set-up that is over, ends, waits or is fine. Every text is ready to be shown. */
export interface StatusLine {
  readonly sign: 'over' | 'ending' | 'waiting' | 'fine' | 'unknown';
  /** `in 11 days`, `5 days ago`, `waiting` */
  readonly ends: string;
  readonly mailbox: string;
  /** a person's name for the customer */
  readonly label?: string;
  readonly product: string;
  readonly what: string;
  readonly lastTest: string;
}

const heads = { ends: 'ENDS', mailbox: 'MAILBOX', label: 'LABEL', product: 'FOR', what: 'WHAT ENDS', lastTest: 'LAST TEST' } as const;
type Column = keyof typeof heads;
const order: readonly Column[] = ['ends', 'mailbox', 'label', 'product', 'what', 'lastTest'];

/**
 * A table as wide as its longest values. Where that is wider than `columns`, the customers become headings (with `byCustomer` they always are),
 * then a column goes that says the same in each line, and at last each set-up takes two lines. Ends with a newline.
 */
export function renderStatusTable(lines: readonly StatusLine[], theme: Theme, columns: number, byCustomer = false): string {
  if (lines.length === 0) return '';
  const customers = new Map<string, StatusLine[]>();
  for (const line of lines) customers.set(customerOf(line), [...(customers.get(customerOf(line)) ?? []), line]);
  const isLabelled = lines.some(({ label }) => label !== undefined);
  const whole = order.filter((column) => column !== 'label' || isLabelled);
  const needsHeadings = byCustomer || (isLabelled && widthOf(lines, whole) > columns);
  const hasHeadings = needsHeadings && customers.size > 1;
  // Where only some of a customer's set-ups are listed, their number would say something else than it seems.
  const headingOf = (name: string, some: readonly StatusLine[]) =>
    byCustomer ? heading(name, some, theme, columns) : `${theme.bold(fold(name, columns))}\n`;
  const wanted = hasHeadings ? whole.filter((column) => column !== 'label') : whole;
  const shown = widthOf(lines, wanted) > columns ? wanted.filter((column) => !saysTheSame(lines, column)) : wanted;
  if (widthOf(lines, shown) > columns) {
    const inTwo = (some: readonly StatusLine[]) => some.map((line) => `${twoLines(line, hasHeadings, theme, columns)}\n`).join('');
    return hasHeadings ? [...customers].map(([name, some]) => headingOf(name, some) + inTwo(some)).join('') : inTwo(lines);
  }
  const widths = shown.map((column) => columnWidth(lines, column));
  const row = (cells: Partial<Record<Column, string>>) =>
    shown
      .map((column, i) => (cells[column] ?? '').padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  const head = `  ${theme.dim(row(heads))}\n`;
  const body = (some: readonly StatusLine[]) => some.map((line) => `${signOf(line, theme)} ${row({ ...line })}\n`).join('');
  if (!hasHeadings) return head + body(lines);
  return head + [...customers].map(([name, some]) => headingOf(name, some) + body(some)).join('');
}

/** By the label, and where there is none by the domain, which a person knows sooner than the ID of a tenant. */
const customerOf = ({ label, mailbox }: StatusLine): string => label ?? domainOf(mailbox);

const columnWidth = (lines: readonly StatusLine[], column: Column): number =>
  lines.reduce((widest, line) => Math.max(widest, line[column]?.length ?? 0), heads[column].length);

const widthOf = (lines: readonly StatusLine[], columns: readonly Column[]): number =>
  2 + columns.reduce((sum, column) => sum + columnWidth(lines, column) + 2, -2);

/** Tests that are green, or that nobody ran, and one product for all: nothing is lost without them. */
function saysTheSame(lines: readonly StatusLine[], column: Column): boolean {
  if (column === 'lastTest') return lines.every(({ lastTest }) => lastTest === 'ok' || lastTest === '–');
  return column === 'product' && lines.length > 1 && lines.every(({ product }) => product === lines[0]?.product);
}

/** `Contoso · 7 set-ups · 1 over · 2 end` */
function heading(customer: string, lines: readonly StatusLine[], theme: Theme, columns: number): string {
  const count = (sign: StatusLine['sign'], word: string) => {
    const found = lines.filter((line) => line.sign === sign).length;
    return found === 0 ? [] : [`${found} ${word}`];
  };
  const parts = [
    `${lines.length} set-up${lines.length === 1 ? '' : 's'}`,
    ...count('over', 'over'),
    ...count('ending', 'ending'),
    ...count('waiting', 'waiting'),
  ];
  const name = fold(customer, columns);
  const counts = parts.join(' · ');
  const glue = name.length + 3 + counts.length > columns ? '\n  ' : ' · ';
  return `${theme.bold(name)}${theme.dim(`${glue}${counts}`)}\n`;
}

function twoLines(line: StatusLine, hasHeading: boolean, theme: Theme, columns: number): string {
  const label = hasHeading ? '' : (line.label ?? '');
  const facts = [label, line.product, [line.what, line.ends].filter((part) => part !== '').join(' '), line.lastTest].filter(
    (part) => !['', '–'].includes(part),
  );
  return `${signOf(line, theme)} ${fold(line.mailbox, columns, 2)}\n    ${theme.dim(fold(facts.join(', '), columns, 4))}`;
}

export function signOf({ sign }: Pick<StatusLine, 'sign'>, theme: Theme): string {
  const { signs } = theme;
  switch (sign) {
    case 'over':
      return theme.red(signs.failed);
    case 'ending':
      return theme.yellow(signs.ending);
    case 'waiting':
      return theme.yellow('?');
    case 'unknown':
      return theme.dim(signs.skipped);
    case 'fine':
      return theme.green(signs.ok);
  }
}

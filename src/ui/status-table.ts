import { fold } from '../core/fold.ts';
import type { Theme } from './theme.ts';

/** One line of `status` for many: a set-up that is over, ends, waits or is fine. Every text is ready to be shown. */
export interface StatusLine {
  readonly sign: 'over' | 'ending' | 'waiting' | 'fine' | 'unknown';
  /** `in 11 days`, `5 days ago`, `waiting` */
  readonly ends: string;
  readonly mailbox: string;
  readonly product: string;
  readonly what: string;
  readonly lastTest: string;
}

const heads = { ends: 'ENDS', mailbox: 'MAILBOX', product: 'FOR', what: 'WHAT ENDS', lastTest: 'LAST TEST' } as const;
type Column = keyof typeof heads;
const order: readonly Column[] = ['ends', 'mailbox', 'product', 'what', 'lastTest'];

/** A table as wide as its longest values; where that is wider than `columns`, each set-up takes two lines instead. Ends with a newline. */
export function renderStatusTable(lines: readonly StatusLine[], theme: Theme, columns: number): string {
  if (lines.length === 0) return '';
  const width = (column: Column) => Math.max(heads[column].length, ...lines.map((line) => line[column].length));
  const widths = order.map(width);
  const whole = 2 + widths.reduce((sum, one) => sum + one + 2, -2);
  if (whole > columns) return lines.map((line) => `${twoLines(line, theme, columns)}\n`).join('');
  const row = (cells: Record<Column, string>) =>
    order
      .map((column, i) => cells[column].padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [`  ${theme.dim(row(heads))}`, ...lines.map((line) => `${signOf(line, theme)} ${row({ ...line })}`)]
    .map((line) => `${line}\n`)
    .join('');
}

function twoLines(line: StatusLine, theme: Theme, columns: number): string {
  const facts = [line.product, [line.what, line.ends].filter((part) => part !== '').join(' '), line.lastTest].filter(
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

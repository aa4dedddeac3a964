import { type ProtocolWord, protocols, protocolWords } from '../core/cloud.ts';
import { fold } from '../core/fold.ts';
import type { Theme } from './theme.ts';

/** Labels and values in two columns; further lines of a value are indented below it. Ends with a newline. */
export function renderFacts(facts: readonly (readonly [label: string, value: string])[], theme: Theme): string {
  const width = Math.max(...facts.map(([label]) => label.length)) + 2;
  return facts
    .map(([label, value]) => {
      const [first = '', ...more] = value.split('\n');
      return [`  ${theme.dim(label.padEnd(width))}${first}`, ...more.map((line) => `  ${' '.repeat(width)}${line}`)].join('\n');
    })
    .join('\n')
    .concat('\n');
}

/** One mailbox of the summary. A protocol that is missing was not tested. */
export interface MailboxRow {
  readonly name: string;
  /** whose it is; where the rows are of several, each is a heading with its rows below it */
  readonly customer?: string;
  readonly ok: Partial<Record<ProtocolWord, boolean>>;
  /** what is wrong, or worth knowing; empty when all is well */
  readonly what: string;
}

const gap = '  ';

/** The summary of many mailboxes: a line each, as wide as `columns` lets it be. `headings`: by customer. Ends with a newline. */
export function renderMailboxTable(
  rows: readonly MailboxRow[],
  theme: Theme,
  columns: number,
  headings: ReadonlyMap<string, string> = new Map(),
): string {
  const { signs } = theme;
  const width = Math.min(Math.max('Mailbox'.length, ...rows.map((row) => row.name.length)), 60);
  // Few set-ups have it, so its column is there only where one does.
  const shown = rows.some((row) => row.ok['graph-send'] !== undefined) ? protocolWords : protocols;
  const heads = shown.map((p) => p.toUpperCase());
  const at = 2 + width + heads.reduce((sum, head) => sum + gap.length + head.length, 0) + gap.length;
  const line = (name: string, cells: readonly string[], what: string) =>
    `  ${name}${gap}${cells.join(gap)}${what === '' ? '' : `${gap}${what}`}`.trimEnd();
  const head = theme.dim(line('Mailbox'.padEnd(width), heads, 'What is wrong'));
  const bodyOf = (row: MailboxRow) => {
    const cells = shown.map((protocol, i) => {
      const ok = row.ok[protocol];
      const pad = ' '.repeat((heads[i]?.length ?? 1) - 1);
      if (ok === undefined) return `${theme.dim(signs.skipped)}${pad}`;
      return `${ok ? theme.green(signs.ok) : theme.red(signs.failed)}${pad}`;
    });
    return line(cut(row.name, width).padEnd(width), cells, fold(row.what, columns - 1, at));
  };
  if (headings.size < 2) return `${[head, ...rows.map(bodyOf)].join('\n')}\n`;
  const grouped = [...headings].flatMap(([customer, heading]) => [
    fold(heading, columns),
    ...rows.filter((row) => row.customer === customer).map(bodyOf),
  ]);
  const others = rows.filter(({ customer }) => customer === undefined || !headings.has(customer)).map(bodyOf);
  return `${[head, ...grouped, ...others].join('\n')}\n`;
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

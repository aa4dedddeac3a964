/** One table of cells that hold no bare `|`: made by `words` and `codeCell` (GFM section 4.10). */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Prose: every ASCII punctuation that can begin markup is escaped (CommonMark section 2.4). */
export const words = (text: string): string => text.replace(/[\\`*_[\]<>#|~&!]/g, '\\$&');

/** A code span with a fence longer than any run of backticks inside (CommonMark section 6.1). */
export function code(text: string): string {
  const ticks = '`'.repeat(longestRun(text) + 1);
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${text}${pad}${ticks}`;
}

/** A code span in a table, where `|` is escaped too. Behind a backslash it cannot be escaped, so such a value becomes prose. */
export const codeCell = (text: string): string => (text.includes('\\|') ? words(text) : code(text).replaceAll('|', '\\|'));

/** A block of code (CommonMark section 4.5). */
export function fence(text: string): string {
  const ticks = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${ticks}\n${text}\n${ticks}`;
}

/** An autolink ends at `>` and must not hold blanks (CommonMark section 6.5). */
export const autolink = (address: string): string => `<${address.replace(/[<>\s]/g, (c) => encodeURIComponent(c))}>`;

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));

import type { Output } from './context.ts';

/** How wide a text may be in this output; text for a pipe is not folded. */
export const columnsOf = (to: Pick<Output, 'isTerminal' | 'columns'>): number => (to.isTerminal ? to.columns : Number.POSITIVE_INFINITY);

/**
 * One paragraph that begins at column `at`, with its further lines at the same column, within `columns`. Words stay whole; an address or a path that is
 * longer than a line is broken after a slash, and what has no slash is left to the terminal.
 */
export function fold(text: string, columns: number, at = 0): string {
  const room = Math.max(columns - at, 20);
  const lines: string[] = [];
  let line = '';
  const add = (piece: string, glue: string) => {
    if (line === '') line = piece;
    else if (line.length + glue.length + piece.length <= room) line += glue + piece;
    else {
      lines.push(line);
      line = piece;
    }
  };
  for (const word of text.split(' ')) {
    const tooLong = word.length > room;
    const pieces = tooLong ? (word.match(/(?:https?:\/\/)?[^/\\]*[/\\]?/g) ?? [word]).filter((piece) => piece !== '') : [word];
    pieces.forEach((piece, i) => {
      add(piece, i === 0 ? ' ' : '');
    });
  }
  lines.push(line);
  return lines.join(`\n${' '.repeat(at)}`);
}

/** A heading and indented lines below it. */
export const underHeading = (heading: string, lines: readonly string[], columns: number): string =>
  [fold(heading, columns), ...lines.map((line) => `  ${fold(line, columns, 4)}`)].map((line) => `${line}\n`).join('');

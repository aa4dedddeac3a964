/**
 * One paragraph in lines of at most `columns` characters; all lines but the first begin with `indent`. Words stay whole; an address
 * that is longer than a line is broken after a slash, and what has no slash is left to the terminal.
 */
export function fold(text: string, columns: number, indent = ''): string {
  const room = Math.max(columns, indent.length + 20);
  const lines: string[] = [];
  let line = '';
  const add = (piece: string, glue: string) => {
    const start = lines.length === 0 ? '' : indent;
    if (line === '') line = start + piece;
    else if (line.length + glue.length + piece.length <= room) line += glue + piece;
    else {
      lines.push(line);
      line = indent + piece;
    }
  };
  for (const word of text.split(' ')) {
    const whole = word.length + indent.length <= room || !/^https?:\/\//.test(word);
    const pieces = whole ? [word] : (word.match(/(?:https?:\/\/)?[^/]+\/?/g) ?? [word]);
    pieces.forEach((piece, i) => {
      add(piece, i === 0 ? ' ' : '');
    });
  }
  lines.push(line);
  return lines.join('\n');
}

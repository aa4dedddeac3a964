// biome-ignore-all lint/suspicious/noControlCharactersInRegex: escapes are what is read

/** What a terminal shows after `raw`, line by line: CR, LF, cursor up, erase to the end of the line or of the screen; colours are left out. */
export function screenOf(raw: string): readonly string[] {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  const line = (): string[] => {
    while (lines.length <= row) lines.push([]);
    return lines[row] ?? [];
  };
  for (const [, sequence, text = ''] of raw.matchAll(/(\u001b\[\d*[A-Za-z])|([\s\S])/gu)) {
    if (sequence === '\u001b[A') row -= 1;
    else if (sequence === '\u001b[K') line().splice(column);
    else if (sequence === '\u001b[J') {
      line().splice(column);
      lines.splice(row + 1);
    } else if (sequence !== undefined) continue;
    else if (text === '\r') column = 0;
    else if (text === '\n') {
      row += 1;
      column = 0;
      line();
    } else {
      line()[column] = text;
      column += 1;
    }
  }
  return lines.map((characters) => characters.join(''));
}

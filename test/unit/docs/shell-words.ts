/**
 * The words after `mailauth` in a line as a person would type it: prompt, `npx`, comments, redirections and pipes are left out.
 * undefined: the line calls no mailauth.
 */
export function shellWords(line: string): readonly string[] | undefined {
  const call = /(?:^|\$ |\$\(|\| |&& |npx |bin\/|\d )mailauth(?:\.js)?(?: (.*))?$/.exec(line.trim());
  if (call === null) return undefined;
  const words: string[] = [];
  for (const [, double, single, bare] of (call[1] ?? '').matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    if (bare !== undefined && /^(?:#|>|\||&|…|\()/.test(bare)) break;
    words.push(double ?? single ?? (bare ?? '').replace(/\)$/, ''));
    if (bare?.endsWith(')')) break;
  }
  return words;
}

/** A command as it came, or why there is none. Literals are put into the line as quoted strings. */
export type ImapInput = { readonly kind: 'line'; readonly line: string } | { readonly kind: 'too-long' };

/** Exchange tokens make lines of 3 KB; nothing a client sends here needs more than this. */
const lineLimit = 16_384;

/**
 * Cuts what arrives into commands (RFC 9051 section 2.2.1), with literals (section 4.3) and LITERAL+ (RFC 7888).
 * @param invite called when the client waits for "go on" before it sends a literal
 */
export function imapLines(invite: () => void): (chunk: Buffer) => ImapInput[] {
  let waiting = '';
  let command = '';
  let literal = 0;

  const nextLine = (): string | undefined => {
    const end = waiting.indexOf('\n');
    if (end === -1) return undefined;
    const line = waiting.slice(0, end).replace(/\r$/, '');
    waiting = waiting.slice(end + 1);
    return line;
  };

  /** false: the announced literal has not arrived whole */
  const takeLiteral = (): boolean => {
    if (literal === 0) return true;
    if (waiting.length < literal) return false;
    command += `"${waiting.slice(0, literal).replace(/["\\]/g, '\\$&')}"`;
    waiting = waiting.slice(literal);
    literal = 0;
    return true;
  };

  const takeCommand = (): string | undefined => {
    while (takeLiteral()) {
      const line = nextLine();
      if (line === undefined) return undefined;
      const announced = /^(.*)\{(\d{1,6})(\+?)\}$/.exec(line);
      if (announced === null) {
        const whole = command + line;
        command = '';
        return whole;
      }
      command += announced[1] ?? '';
      literal = Number(announced[2]);
      if (literal === 0) command += '""';
      if (announced[3] !== '+') invite();
    }
    return undefined;
  };

  return (chunk) => {
    waiting += chunk.toString('latin1');
    const ready: ImapInput[] = [];
    for (let line = takeCommand(); line !== undefined; line = takeCommand()) {
      if (line.length > lineLimit) return [...ready, { kind: 'too-long' }];
      ready.push({ kind: 'line', line });
    }
    return waiting.length + command.length > lineLimit ? [...ready, { kind: 'too-long' }] : ready;
  };
}

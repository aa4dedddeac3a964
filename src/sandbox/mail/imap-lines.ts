import { type LineInput, type LineReader, lineLimit } from './line-server.ts';

/**
 * Cuts what arrives into IMAP commands (RFC 9051 section 2.2.1). A literal (section 4.3, and LITERAL+ of RFC 7888) becomes a quoted string
 * in its command.
 * @param invite sends a line to a client that waits for permission to send its literal
 */
export function imapLines(invite: (line: string) => void): LineReader {
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

  /** false: a part of the announced literal has not arrived yet */
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
      if (announced[3] !== '+') invite('+ Ready for additional command text.');
    }
    return undefined;
  };

  return (chunk) => {
    waiting += chunk.toString('latin1');
    const ready: LineInput[] = [];
    for (let line = takeCommand(); line !== undefined; line = takeCommand()) {
      if (line.length > lineLimit) return [...ready, { kind: 'too-long' }];
      ready.push({ kind: 'line', line });
    }
    return waiting.length + command.length > lineLimit ? [...ready, { kind: 'too-long' }] : ready;
  };
}

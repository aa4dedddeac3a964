import { problem } from '../errors/problem.ts';

/** What Exchange Online takes at most (`SIZE` in the answer to EHLO). */
export const mostBytes = 157_286_400;

/** `157,286,400 bytes` */
export const inBytes = (count: number): string => `${count.toLocaleString('en')} bytes`;

/**
 * All of standard input. A line with nothing but a dot ends the message, as sendmail has it, unless `-i` is given: then only the end of the
 * input does. Throws `send-too-large`.
 */
export async function readInput(chunks: AsyncIterable<Uint8Array>, ignoresDots: boolean): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let size = 0;
  // The end of what was read, so that a dot is also found between two pieces. Before the first byte a line begins, too.
  let tail = '\n';
  for await (const chunk of chunks) {
    const seen = tail + (ignoresDots ? '' : Buffer.from(chunk).toString('latin1'));
    const dot = ignoresDots ? -1 : seen.search(/\n\.\r?\n/);
    if (dot >= 0) {
      kept.push(chunk);
      return Buffer.concat(kept, Math.max(size + dot + 1 - tail.length, 0));
    }
    tail = seen.slice(-3);
    size += chunk.length;
    if (size > mostBytes) throw problem('send-too-large', { limit: inBytes(mostBytes), where: 'Exchange Online' });
    kept.push(chunk);
  }
  const whole = Buffer.concat(kept);
  const last = ignoresDots ? null : /\n\.\r?$/.exec(tail);
  return last === null ? whole : whole.subarray(0, size + 1 - last[0].length);
}

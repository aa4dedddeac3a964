import { mailauth } from '../../core/next.ts';
import { quotePosix } from '../../core/shell/quoting.ts';
import { plain } from '../../core/text.ts';
import { problem } from '../../errors/problem.ts';

/**
 * A value as one word of a bash script: single quotes, in which nothing has a meaning (POSIX shell 2.2.2).
 * Throws `value-invalid` (exit 2) on line breaks and invisible characters: a script must do what a reader sees in it.
 */
export function quoteBash(value: string): string {
  return quotePosix(visible(value));
}

/**
 * A value as a PowerShell expression of ASCII characters only: Windows PowerShell 5.1 reads a file without BOM in the local code page.
 * That keeps curly quotes out, too. They would end a single-quoted string like straight ones (about_Quoting_Rules).
 * Throws like `quoteBash`.
 */
export function quoteAsciiPowerShell(value: string): string {
  const parts = visible(value).match(/[ -~]+|[^ -~]/g) ?? [''];
  const quoted = parts.map((part) => (/^[ -~]*$/.test(part) ? `'${part.replaceAll("'", "''")}'` : `[char]0x${hex(part)}`));
  // A string on the left makes `+` a concatenation.
  if (quoted.length === 1 && quoted[0]?.startsWith("'")) return quoted[0];
  return `('' + ${quoted.join(' + ')})`;
}

/** JSON of ASCII characters only, so that no code page can change it; `indent` as in JSON.stringify. */
export function asciiJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, null, indent).replace(/[^\n -~]/g, (unit) => `\\u${hex(unit)}`);
}

const hex = (unit: string): string => unit.charCodeAt(0).toString(16).padStart(4, '0');

function visible(value: string): string {
  if (!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(value)) return value;
  throw problem('value-invalid', {
    what: 'value for a script',
    value: plain(value, 80),
    why: 'It holds a line break or an invisible character.',
    next: mailauth('setup', { register: 'portal' }),
  });
}

/** The shell that a line is written for: any POSIX shell, PowerShell, or Windows' cmd. */
export const shells = ['posix', 'powershell', 'cmd'] as const;
export type Shell = (typeof shells)[number];

/** One word of a POSIX shell in single quotes, in which nothing has a meaning (POSIX.1-2024, Shell Command Language 2.2.2). */
export const quotePosix = (value: string): string => `'${value.replaceAll("'", `'\\''`)}'`;

/**
 * One word of PowerShell in single quotes. There the curly quotes end a string as the straight one does, and each of them stands for
 * itself when it is doubled (about_Quoting_Rules).
 */
export const quotePowerShell = (value: string): string => `'${value.replace(/['\u2018-\u201b]/g, '$&$&')}'`;

/** Characters that a terminal acts on or that nobody sees: control characters, bidi marks, line separators, lone surrogates. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** What needs no quotes. `=` begins an expansion of zsh; a comma makes a list in PowerShell, and `@` a splat where it begins a word. */
const harmless: Readonly<Record<Shell, RegExp>> = {
  posix: /^[\w@%+:,./-][\w@%+=:,./-]*$/,
  powershell: /^[\w+:./\\-][\w@+=:./\\-]*$/,
  cmd: /^[\w@+=:.,/\\-]+$/,
};

/** One word of a command line: quoted only where it must be, so that the usual line stays readable. */
export function shellWord(value: string, shell: Shell): string {
  return harmless[shell].test(value) ? value : quotedWord(value, shell);
}

/** The same, quoted also where it need not be. */
export function quotedWord(value: string, shell: Shell): string {
  if (shell === 'cmd') return quoteCmd(value);
  if (invisible.test(value)) return shell === 'posix' ? escapedPosix(value) : escapedPowerShell(value);
  return shell === 'posix' ? quotePosix(value) : quotePowerShell(value);
}

/**
 * One word of cmd, which the program then takes apart as Microsoft's C runtime does ("main function and command-line arguments"): between
 * double quotes, in which `""` is one of them and backslashes count only before a quote. Between them cmd itself acts on nothing but two
 * percent signs, which name a variable: they stand outside, behind carets, so that no variable has that name. No word of cmd holds a line
 * break: it becomes a space.
 */
function quoteCmd(value: string): string {
  const inQuotes = (part: string): string => `"${part.replace(/(\\*)"/g, '$1$1""').replace(/\\+$/, '$&$&')}"`;
  const onOneLine = value.replace(/[\r\n]+/g, ' ');
  const parts = onOneLine.split('%');
  return parts.length === 2 ? inQuotes(onOneLine) : parts.map(inQuotes).join('^%');
}

/** `$'…'` of POSIX.1-2024 2.2.4: the invisible characters become visible escapes, so that a line reads as it runs. */
const escapedPosix = (value: string): string =>
  `$'${[...value].map((c) => (/['\\]/.test(c) ? `\\${c}` : invisible.test(c) ? unicode(c, (hex) => `\\U${hex.padStart(8, '0')}`) : c)).join('')}'`;

/** A word of PowerShell in ASCII alone, for a script that is read in a code page that nobody knows. */
export const asciiPowerShell = (value: string): string =>
  beyondAscii.test(value) ? escapedPowerShell(value, beyondAscii) : shellWord(value, 'powershell');

const beyondAscii = /[^\x20-\x7e]/u;

/** A double-quoted string, whose escapes Windows PowerShell 5.1 knows too (about_Quoting_Rules, "Double-quoted strings"). */
const escapedPowerShell = (value: string, hidden = invisible): string =>
  `"${[...value]
    .map((c) => (hidden.test(c) ? unicode(c, (hex) => `$([char]0x${hex})`) : /[`"$\u201c-\u201e]/.test(c) ? `\`${c}` : c))
    .join('')}"`;

const unicode = (character: string, write: (hex: string) => string): string =>
  (character.codePointAt(0) ?? 0) > 0xffff
    ? [...character].map((c) => write((c.codePointAt(0) ?? 0).toString(16))).join('')
    : write(character.charCodeAt(0).toString(16).padStart(4, '0'));

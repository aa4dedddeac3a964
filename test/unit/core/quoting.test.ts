import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotePosix, quotePowerShell, shellWord } from '../../../src/core/shell/quoting.ts';

/** Names that a careless quoting lets act. */
const hostile = [
  'plain',
  'with space',
  "o'brien",
  'say "hi"',
  '$HOME',
  '$(reboot)',
  '`reboot`',
  'a;reboot',
  'a&reboot',
  '%PATH%',
  'two\nlines',
  'tab\there',
  '-x',
  '--json',
  'left \u2018 right \u2019 low \u201a high \u201b',
  'double \u201c \u201d \u201e',
  'imap,pop,smtp',
  '@here',
  '=ls',
  '#not a comment',
  '\u001b[31mred',
  'back\\slash',
  '',
  '~',
  '*',
  '\u202eright to left',
] as const;

/** Every character that means something to a shell, often, among all others. */
const character = fc.oneof(
  fc.constantFrom(...`'"\`$\\;&|<>(){}[]*?!#~%^= @,-\n\t\u0007\u2018\u2019\u201a\u201b\u201cäß😀漢`.match(/./gsu)!),
  // A shell has no word with NUL in it, and no lone half of a surrogate pair.
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).filter((c) => c !== '\0'),
);
const value = fc.array(character, { maxLength: 30 }).map((all) => all.join(''));

function readBy(shell: string, words: readonly string[]): readonly string[] {
  // Without a locale of many bytes, a shell writes no character beyond ASCII from its escapes.
  const ran = spawnSync(shell, {
    input: `printf '%s\\0' ${words.join(' ')}\n`,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  expect(ran).toMatchObject({ status: 0, stderr: '' });
  return ran.stdout.split('\0').slice(0, -1);
}

describe('a word of a POSIX shell', () => {
  it.each(['bash', 'zsh'])('%s reads back exactly what was quoted', (shell) => {
    expect(
      readBy(
        shell,
        hostile.map((word) => shellWord(word, 'posix')),
      ),
    ).toEqual(hostile);
    fc.assert(
      fc.property(fc.array(value, { minLength: 20, maxLength: 40 }), (values) => {
        expect(
          readBy(
            shell,
            values.map((word) => shellWord(word, 'posix')),
          ),
        ).toEqual(values);
      }),
      { numRuns: 10 },
    );
  });

  it('stands on one line and shows nothing that a terminal acts on', () => {
    for (const word of hostile) expect(shellWord(word, 'posix')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('is quoted only where it must be', () => {
    for (const word of ['ada@contoso.com', '/tmp/cloud.json', 'imap,pop', '--client-id', 'http://localhost:8080'])
      expect(shellWord(word, 'posix')).toBe(word);
    expect(quotePosix("it's")).toBe(`'it'\\''s'`);
  });
});

/** What PowerShell reads (about_Quoting_Rules): a bare word, a single-quoted or a double-quoted string. */
function readByPowerShell(word: string): string {
  if (/^'/.test(word)) {
    expect(word).toMatch(/^'(?:[^'\u2018-\u201b]|(['\u2018-\u201b])['\u2018-\u201b])*'$/u);
    return word.slice(1, -1).replace(/['\u2018-\u201b](['\u2018-\u201b])/g, '$1');
  }
  if (/^"/.test(word)) {
    expect(word).toMatch(/^"(?:[^"`$\u201c-\u201e]|`.|\$\(\[char\]0x[0-9a-f]{4}\))*"$/su);
    return word
      .slice(1, -1)
      .replace(/\$\(\[char\]0x([0-9a-f]{4})\)|`(.)/gsu, (_, hex: string | undefined, escaped: string) =>
        hex === undefined ? escaped : String.fromCharCode(Number.parseInt(hex, 16)),
      );
  }
  // In argument mode these begin or end something (about_Parsing, about_Special_Characters).
  expect(word).not.toMatch(/[\s'"`$;&|<>(){},\u2018-\u201e]|^[@#~*]/u);
  return word;
}

describe('a word of PowerShell', () => {
  it('reads back exactly what was quoted', () => {
    for (const word of hostile) expect(readByPowerShell(shellWord(word, 'powershell'))).toBe(word);
    fc.assert(
      fc.property(value, (word) => {
        expect(readByPowerShell(shellWord(word, 'powershell'))).toBe(word);
      }),
    );
  });

  it('doubles every kind of single quote', () => {
    expect(quotePowerShell("it's \u2019 here")).toBe("'it''s \u2019\u2019 here'");
  });

  it('is quoted where a comma would make a list of it', () => {
    expect(shellWord('imap,pop', 'powershell')).toBe("'imap,pop'");
    expect(shellWord('ada@contoso.com', 'powershell')).toBe('ada@contoso.com');
  });

  it('stands on one line and shows nothing that a terminal acts on', () => {
    for (const word of hostile) expect(shellWord(word, 'powershell')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

/** What is left of a word that was typed at cmd's prompt, which takes carets away. Nothing that acts may stand outside of quotes. */
function leftByCmd(word: string): string {
  const [inside, outside] = [/[\r\n]/, /[&|<>()%!\s;^]/];
  let isQuoted = false;
  let left = '';
  for (let at = 0; at < word.length; at += 1) {
    const isEscaped = !isQuoted && word[at] === '^';
    if (isEscaped) at += 1;
    else if (word[at] === '"') isQuoted = !isQuoted;
    else expect(word[at]).not.toMatch(isQuoted ? inside : outside);
    left += word[at];
  }
  expect(isQuoted).toBe(false);
  // Two percent signs without a caret between them are a variable.
  expect(word).not.toMatch(/%[^^]*%/);
  return left;
}

/** What Microsoft's C runtime makes of it: quotes and backslashes ("main function and command-line arguments"). */
function readByProgram(word: string): string {
  let inQuotes = false;
  let read = '';
  for (let at = 0; at < word.length; ) {
    const next = inQuotes ? /(\\*)(""|")/y : /(\\*)(")/y;
    next.lastIndex = at;
    const [all = '', slashes = '', quotes = ''] = next.exec(word) ?? [];
    const isEscaped = slashes.length % 2 === 1;
    at += all === '' ? 1 : all.length - (isEscaped ? quotes.length - 1 : 0);
    if (all === '') read += word[at - 1];
    else read += '\\'.repeat(slashes.length >> 1) + (isEscaped || quotes === '""' ? '"' : '');
    if (quotes === '"' && !isEscaped) inQuotes = !inQuotes;
  }
  return read;
}

const readByCmd = (word: string): string => readByProgram(leftByCmd(word));

describe('a word of cmd', () => {
  const onOneLine = (word: string) => word.replace(/[\r\n]+/g, ' ');

  it('reads back exactly what was quoted, on one line', () => {
    for (const word of hostile) expect(readByCmd(shellWord(word, 'cmd'))).toBe(onOneLine(word));
    fc.assert(
      fc.property(value, (word) => {
        expect(readByCmd(shellWord(word, 'cmd'))).toBe(onOneLine(word));
      }),
    );
  });

  it.each([
    ['C:\\Users\\Ada Lovelace\\key.bin', '"C:\\Users\\Ada Lovelace\\key.bin"'],
    ['C:\\Users\\ada\\key.bin', 'C:\\Users\\ada\\key.bin'],
    ['C:\\mail auth\\', '"C:\\mail auth\\\\"'],
    ["o'brien@contoso.com", `"o'brien@contoso.com"`],
    ['imap,smtp', 'imap,smtp'],
    ['100%', '"100%"'],
    ['%PATH%', '""^%"PATH"^%""'],
    ['say "hi"', '"say ""hi"""'],
  ])('%s is written %s', (word, written) => expect(shellWord(word, 'cmd')).toBe(written));
});

/**
 * Text from outside (error_description, server greetings, display names) on its way to a terminal or a JSON field:
 * no escape sequences, no control, bidi or zero-width characters; line breaks become spaces; at most `limit` characters.
 */
export function plain(text: string, limit = 400): string {
  const flat = printable(text).replace(/ {2,}/g, ' ').trim();
  // The cut is between two characters, never within a surrogate pair.
  return flat.length > limit ? `${flat.slice(0, limit - 1).replace(/\p{Cs}$/u, '')}…` : flat;
}

/** For one line of our own text that contains values from outside: as `plain`, but it is not cut and its blanks stay. */
export function printable(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: stripping them is the point (ECMA-48 CSI and OSC sequences)
      .replace(/\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\^_])/g, '')
      .replace(/[\r\n\t]+/g, ' ')
      .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '')
  );
}

/** For a sentence that another program began. The name of a program or a host at its begin stays as it is written. */
export const capitalized = (text: string): string =>
  /^(?!mailauth\b)[a-z]+[ ,'’]/.test(text) ? `${text[0]?.toUpperCase()}${text.slice(1)}` : text;

/** With a full stop, but not where an address or a path ends it that may be copied. */
export const sentence = (text: string): string => (/(?:^|\s)[^\s/@:\\]*[\p{L}\p{N})'"]$/u.test(text) ? `${text}.` : text);

/** `keychain`, `keychain or file`, `public, usgov or china`. */
export function anyOf(words: readonly string[]): string {
  const last = words.slice(-1).join('');
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

/** Whether a word can be the name of a file that is repeated: the value itself may stand in its place by mistake. */
export const looksLikePath = (word: string): boolean => word === '-' || /[/\\]|\.(?:txt|pem|key|crt|cer|secret)$/i.test(word);

/**
 * Whether the value of this flag (without hyphens in front) may be the secret itself, given in place of the name of its file. A command that is
 * printed has `-` there, which both flags take.
 */
export const mayBeSecret = (flag: string, value: string): boolean =>
  /^(?:client-secret|password)-file$/.test(flag) && !looksLikePath(value);

/** The word of the list that differs from a mistyped one by at most two letters (Levenshtein); undefined where none is so near. */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const far = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (const [i, letter] of [...a].entries()) {
      const next = [i + 1];
      for (const [j, other] of [...b].entries())
        next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
      row = next;
    }
    return row[b.length] ?? 0;
  };
  const [first] = words.map((word) => ({ word, away: far(typed.toLowerCase(), word) })).sort((a, b) => a.away - b.away);
  return first !== undefined && first.away <= 2 && typed.length > 2 ? first.word : undefined;
}

/** For a browser: HTML text or a quoted attribute value. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/**
 * A mail or web address as HTML, with the places where a narrow page may break it: at the dots of its host and behind `@ / ? & =`.
 * The marks for these places are not copied with the text; a program finds the whole address in `<data value>` (HTML Standard section 4.5.13).
 * Other text is only escaped.
 */
export function addressHtml(address: string): string {
  const [, host = '', path = ''] = /^((?:https?:\/\/|[^\s@]+@)[^\s/]+\/?)(.*)$/.exec(address) ?? [];
  // An address contains none of these characters: this is other text.
  if (host === '' || /[<>"']/.test(address)) return escapeHtml(address);
  const parts = [...host.split(/(?<=@)|(?<=\w)(?=\.\w)/), ...path.split(/(?<=[/?&=])/)].filter((part) => part !== '');
  return `<data value="${escapeHtml(address)}">${parts.map(escapeHtml).join('<wbr>')}</data>`;
}

/** A command line as HTML, for `.line span{white-space:nowrap}`: a browser would break an option behind each of its hyphens. */
export const commandHtml = (line: string): string =>
  `<code class="line">${escapeHtml(line).replace(/(^| )(--?[\w-]+)/g, '$1<span>$2</span>')}</code>`;

/** What stands behind the last `@` of an address, in small letters. */
export const domainOf = (address: string): string => address.slice(address.lastIndexOf('@') + 1).toLowerCase();

/** A GUID in its usual spelling (RFC 9562 section 4), as a part of a regular expression that ignores case. */
export const guidPattern = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

const whole = new RegExp(`^${guidPattern}$`, 'i');

/** Ids of tenants, applications and users are GUIDs. */
export const isGuid = (text: string): boolean => whole.test(text);

/**
 * The name of a flag that mailauth does not know, without what stands behind it: `--flag=value` or `-fvalue` may hold a secret under any name.
 * A long name with one dash too few is kept.
 */
export const flagNameOf = (word: string): string => /^(?:--[\w-]*|-[a-z][a-z-]{0,20}(?==|$)|-.)/su.exec(word)?.[0] ?? '-';

/** The address in `Help Desk <helpdesk@contoso.com>`, as mail programs copy it; any other text as it is. */
export const bareAddress = (text: string): string =>
  /^[^<>]*<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>$/i.exec(text.trim())?.[1] ?? text.trim();

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** WHATWG Encoding, section 6 ("BOM sniff"). Windows PowerShell 5.1 writes UTF-16, and Notepad can write each of these. */
export function encodingOf([first, second]: Uint8Array): Encoding {
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  return first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
}

/** A byte order mark says what the text is written in. */
export const isMarked = (bytes: Uint8Array): boolean => encodingOf(bytes) !== 'utf-8' || Buffer.from(bytes.subarray(0, 3)).equals(utf8Mark);
const utf8Mark = Buffer.from([0xef, 0xbb, 0xbf]);

/** The text of a file, whatever wrote it, without its byte order mark. `encoding` where it is known to have none. */
export const decodeText = (bytes: Uint8Array, encoding = encodingOf(bytes)): string => new TextDecoder(encoding).decode(bytes);

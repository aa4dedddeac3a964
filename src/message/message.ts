/** One field of a header: where it stands in the message, and its value. */
interface Field {
  /** lower case */
  readonly name: string;
  /** unfolded; as UTF-8 */
  readonly value: string;
  /** the first byte, and the first one behind its last line */
  readonly start: number;
  readonly end: number;
}

/** A message as it goes out, without what the server is told beside it. Lines end with CR LF. */
export interface Message {
  readonly bytes: Buffer;
  readonly fields: readonly Field[];
}

const lf = 10;
const cr = 13;
const dot = 46;

/**
 * Reads the message of a caller of sendmail. Each line end becomes CR LF, and a last line without an end gets one; all other bytes stay: a
 * CR alone, NUL, 8-bit characters, lines of any length. A first line `From ` of a mailbox file is no part of a message and is left out, as
 * sendmail does.
 */
export function readMessage(raw: Buffer): Message {
  const bytes = withCrlf(withoutEnvelopeLine(raw));
  return { bytes, fields: fieldsOf(bytes) };
}

function withoutEnvelopeLine(raw: Buffer): Buffer {
  if (!/^>?From /.test(raw.subarray(0, 6).toString('latin1'))) return raw;
  const end = raw.indexOf(lf);
  return end < 0 ? Buffer.alloc(0) : raw.subarray(end + 1);
}

function withCrlf(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = raw.indexOf(lf); at >= 0; at = raw.indexOf(lf, at + 1)) {
    if (raw[at - 1] === cr) continue;
    parts.push(raw.subarray(from, at), crlf);
    from = at + 1;
  }
  const isEnded = raw.length === 0 || raw[raw.length - 1] === lf;
  if (parts.length === 0 && isEnded) return raw;
  return Buffer.concat([...parts, raw.subarray(from), ...(isEnded ? [] : [crlf])]);
}

const crlf = Buffer.from('\r\n');

/** Until the first line that is neither a field nor the continuation of one: the empty line, or the body of a message without header. */
function fieldsOf(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    // The name ends at the colon; blanks before it are obsolete (RFC 5322 section 4.5). Names are short, so a glance is enough.
    const [whole, name] = /^([!-9;-~]+)[ \t]*:/.exec(bytes.subarray(at, at + 1000).toString('latin1')) ?? [];
    if (whole === undefined || name === undefined) break;
    let end = bytes.indexOf(lf, at) + 1;
    while (bytes[end] === 32 || bytes[end] === 9) end = bytes.indexOf(lf, end) + 1;
    const value = bytes
      .subarray(at + whole.length, end)
      .toString('utf8')
      .replace(/\r\n(?=[ \t])/g, '')
      .trim();
    fields.push({ name: name.toLowerCase(), value, start: at, end });
    at = end;
  }
  return fields;
}

/** The values of all fields of these names, each of which may stand several times. */
export const valuesOf = ({ fields }: Message, ...names: readonly string[]): readonly string[] =>
  fields.filter(({ name }) => names.includes(name)).map(({ value }) => value);

/** The same message without the fields of this name. */
export function withoutField({ bytes, fields }: Message, name: string): Message {
  const parts: Buffer[] = [];
  let from = 0;
  for (const field of fields) {
    if (field.name !== name) continue;
    parts.push(bytes.subarray(from, field.start));
    from = field.end;
  }
  if (from === 0) return { bytes, fields };
  const kept = Buffer.concat([...parts, bytes.subarray(from)]);
  return { bytes: kept, fields: fieldsOf(kept) };
}

/** The same message with these lines on top of it. A text without any header gets the empty line that divides the two. */
export function withLinesOnTop({ bytes, fields }: Message, lines: readonly string[]): Message {
  if (lines.length === 0) return { bytes, fields };
  const isHeaderless = fields.length === 0 && bytes[0] !== cr && bytes.length > 0;
  const top = Buffer.from(`${lines.join('\r\n')}\r\n${isHeaderless ? '\r\n' : ''}`);
  const whole = Buffer.concat([top, bytes]);
  return { bytes: whole, fields: fieldsOf(whole) };
}

/** For SMTP: a dot that begins a line is doubled (RFC 5321 section 4.5.2). The lone dot that ends the message is not part of it. */
export function withDotsDoubled(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(dot); at >= 0; at = bytes.indexOf(dot, at + 1)) {
    if (at > 0 && bytes[at - 1] !== lf) continue;
    parts.push(bytes.subarray(from, at + 1));
    from = at;
  }
  return from === 0 && parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)]);
}

/** RFC 2047 section 2: an encoded word has at most 75 characters, and no letter is divided between two. */
export function encodedWords(text: string): string {
  const words: string[] = [];
  let part = '';
  for (const letter of text) {
    if (Buffer.byteLength(part + letter) > 45) {
      words.push(part);
      part = '';
    }
    part += letter;
  }
  return [...words, part].map((one) => `=?utf-8?B?${Buffer.from(one).toString('base64')}?=`).join('\r\n ');
}

/**
 * Text as somebody pasted it, made readable: JSON escapes (also nested), HTML entities, percent-encoding, quoted-printable, SMTP
 * replies over several lines, SASL challenges in base64. It may damage other parts of the text, because the text is only searched.
 */
export function readable(text: string): string {
  let now = text;
  // A JSON string in a JSON string in a redirect address: three layers have been seen.
  for (let layer = 0; layer < 3 && escaped.test(now); layer += 1) now = withoutLayer(now);
  if (now.includes('eyJ')) now = now.replace(/\beyJ[\w+/]{20,4000}={0,2}/g, challenge);
  return replyInLines.test(now) ? now.replace(repliesInLines, joined) : now;
}

const escaped = /\\[nrtu"'/]|%[0-9a-f]{2}|&(?:#\w{1,6}|quot|amp|lt|gt|apos|nbsp);|=\r?\n|=3D|=2[027](?!\d{3,4}(?!\d))/i;

/**
 * One kind of escape after the other. The commonest are replaced without a function, which takes a tenth of the time. Every repetition
 * has a bound: without one, a row of half a million backslashes would take half an hour.
 */
function withoutLayer(text: string): string {
  let now = text;
  if (now.includes('\\')) now = now.replace(/\\{1,16}u([0-9a-f]{4})/gi, hexadecimal).replace(/\\{1,16}([nrt"'/])/gi, letter);
  if (now.includes('%')) now = now.replace(/%(?:25){1,8}/g, '%').replace(/%([0-9a-f]{2})/gi, hexadecimal);
  if (now.includes('&')) now = now.replace(/&(?:amp;){1,8}/gi, '&').replace(/&(quot|lt|gt|apos|nbsp);/gi, entity);
  if (now.includes('&#')) now = now.replace(/&#(\d{1,6});/g, decimal).replace(/&#x([0-9a-f]{1,5});/gi, hexadecimal);
  if (!now.includes('=')) return now;
  return (
    now
      .replace(/=\r?\n/g, '')
      .replace(/=3D/gi, '=')
      // An AADSTS number behind an equals sign (`error?code=20001`) is no quoted-printable.
      .replace(/=20(?!\d{3,4}(?!\d))/g, ' ')
      .replace(/=22(?!\d{3,4}(?!\d))/g, '"')
      .replace(/=27(?!\d{3,4}(?!\d))/g, "'")
  );
}

const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
const entities: Readonly<Record<string, string>> = { quot: '"', lt: '<', gt: '>', apos: "'", nbsp: ' ' };

const letter = (_: string, one: string): string => letters[one.toLowerCase()] ?? one;
const entity = (_: string, name: string): string => entities[name.toLowerCase()] ?? ' ';
const decimal = (_: string, code: string): string => character(Number(code));
const hexadecimal = (_: string, code: string): string => character(Number.parseInt(code, 16));

const character = (code: number): string => (code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ' ');

/** `{"status":"401",…}` of a mail server (RFC 7628 section 3.2.2); tokens begin in the same way and stay as they are. */
function challenge(run: string): string {
  const json = Buffer.from(run, 'base64').toString('utf8');
  return json.includes('"status"') ? ` ${json} ` : run;
}

const replyInLines = /^\d{3}-/m;
const repliesInLines = /^(\d{3})-[^\n]*\n(?:\1-[^\n]*\n){0,50}\1 [^\n]*/gm;

/** `535-5.7.139 Authentication …\r\n535 5.7.139 meet …`: the codes stand before each line again, in the middle of a sentence. */
const joined = (reply: string): string => reply.replace(/\r?\n\d{3}[ -](?:[245]\.\d{1,3}\.\d{1,3} )?/g, ' ');

/** Where a piece of a long text can be cut, so that neither an escape nor, if it can be helped, a line is torn. */
export function cutBefore(text: string): number {
  const line = text.lastIndexOf('\n');
  const end = line > text.length - 8192 && line > 0 ? line : text.length;
  const tail = text.slice(Math.max(0, end - 24), end).search(/[\\%&=]/);
  return tail < 0 ? end : Math.max(0, end - 24) + tail;
}

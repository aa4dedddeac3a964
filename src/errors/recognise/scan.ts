import type { Hit, SignHit } from './hit.ts';
import { mostSpecific } from './most-specific.ts';
import { allNeedles, byNumber, type Needle } from './needles.ts';

/** Of a text only letters and digits, each with its place: what `squeezed` does, but the way back is kept. */
interface Squeezed {
  /** 0 to 35 */
  readonly letters: Uint8Array;
  readonly places: Uint32Array;
  readonly length: number;
}

/** The catalogue does not change while the program runs, so its signs are sorted once. */
let buckets: Buckets | undefined;

export interface Scanned {
  readonly hits: readonly Hit[];
  /** with those that say less than others */
  readonly all: readonly Hit[];
}

/**
 * Looks through one text for every sign at once, in time linear to its length. The hits are in order, and no sign lies inside a longer one:
 * the most specific sentence wins.
 */
export function createScan(): (text: string) => Scanned {
  buckets ??= bucketsOf(allNeedles());
  const { lists, numbers } = buckets;
  return (text) => {
    const s = squeeze(text);
    const hits: Hit[] = [];
    for (let i = 0; i + 3 <= s.length; i += 1) {
      const number = numbers[keyAt(s.letters, i)] ?? 0;
      if (number === 0) continue;
      for (const one of lists[number] ?? []) {
        const hit = hitAt(text, s, i, one);
        if (hit !== undefined) hits.push(hit);
      }
    }
    return { hits: mostSpecific(hits, text), all: hits };
  };
}

interface Searched {
  readonly bytes: Uint8Array;
  /** undefined: a number of Microsoft's follows */
  readonly needle: Needle | undefined;
}

/** `AADSTS50076`, `"error_codes":[50076]`, `error?code=50076`, mailauth's own `"aadsts":50076` */
const beforeNumbers = ['aadsts', 'errorcodes', 'errorcode'];

/** Which signs begin with these three characters: a number for each triple, because a sparse array of arrays costs ten times as much. */
interface Buckets {
  readonly numbers: Uint16Array;
  readonly lists: readonly (readonly Searched[])[];
}

function bucketsOf(needles: readonly Needle[]): Buckets {
  const numbers = new Uint16Array(36 ** 3);
  const lists: Searched[][] = [[]];
  const searched: readonly Searched[] = [
    ...beforeNumbers.map((word) => ({ bytes: squeeze(word).letters, needle: undefined })),
    ...needles.map((needle) => ({ bytes: squeeze(needle.letters).letters, needle })),
  ];
  for (const one of searched) {
    const key = keyAt(one.bytes, 0);
    const list = lists[numbers[key] ?? 0] ?? [];
    if (numbers[key] === 0) numbers[key] = lists.push([one]) - 1;
    else list.push(one);
  }
  return { numbers, lists };
}

const keyAt = (bytes: Uint8Array, i: number): number => (bytes[i] ?? 0) * 1296 + (bytes[i + 1] ?? 0) * 36 + (bytes[i + 2] ?? 0);

function squeeze(text: string): Squeezed {
  const letters = new Uint8Array(text.length);
  const places = new Uint32Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    const isDigit = c >= 48 && c <= 57;
    const lower = c | 32;
    if (!isDigit && !(c < 128 && lower >= 97 && lower <= 122)) continue;
    letters[length] = isDigit ? c - 48 : lower - 87;
    places[length] = i;
    length += 1;
  }
  return { letters, places, length };
}

function standsAt({ letters, length }: Squeezed, at: number, bytes: Uint8Array): boolean {
  if (at + bytes.length > length) return false;
  for (let i = 3; i < bytes.length; i += 1) if (letters[at + i] !== bytes[i]) return false;
  return letters[at] === bytes[0] && letters[at + 1] === bytes[1] && letters[at + 2] === bytes[2];
}

function hitAt(text: string, s: Squeezed, i: number, { bytes, needle }: Searched): Hit | undefined {
  if (!standsAt(s, i, bytes)) return undefined;
  return needle === undefined ? numberAt(text, s, i, bytes.length) : signAt(text, s, i, needle);
}

function signAt(text: string, s: Squeezed, i: number, needle: Needle): Hit | undefined {
  const at = s.places[i] ?? 0;
  const end = (s.places[i + needle.letters.length - 1] ?? 0) + 1;
  const [before = '', after = ''] = [text[at - 1], text[end]];
  const { exact } = needle;
  if (exact === undefined) {
    // No line break spreads a sentence so far: these are words of different sentences.
    const apart = end - at > needle.letters.length * 2 + 80;
    if (apart || /[a-z0-9]/i.test(before) || /[a-z]/i.test(after)) return undefined;
    return needle.further === undefined
      ? { kind: 'sign', needle, at, end }
      : withGaps(text, s, i + needle.letters.length, { kind: 'sign', needle, at, end });
  }
  // Status words of macOS are negative numbers.
  const begin = exact.text.startsWith('-') ? at - 1 : at;
  const stands = unwrapped(text.slice(begin, end)).toLowerCase() === exact.text;
  if (!stands || /[\w-]/.test(text[begin - 1] ?? '') || (!exact.open && /[\w-]/.test(after))) return undefined;
  // `5.7.60` may also be a version number, but not where it follows a reply code.
  if (
    /^\d\.\d/.test(exact.text) &&
    !/[245]\d\d[ -]$/.test(text.slice(Math.max(0, at - 4), at)) &&
    (text.length > 40 || text.trim() !== exact.text)
  )
    return undefined;
  return { kind: 'sign', needle, at, end };
}

const gapLimit = 200;

/** The sentence goes on behind each of its gaps. */
function withGaps(text: string, s: Squeezed, from: number, first: SignHit): SignHit | undefined {
  const parts: (readonly [number, number])[] = [[first.at, first.end]];
  let [i, end] = [from, first.end];
  for (const part of first.needle.further ?? []) {
    const bytes = partsAsBytes(part);
    while (i < s.length && (s.places[i] ?? 0) - end <= gapLimit && !(standsAt(s, i, bytes) && standsAlone(text, s, i, part.length))) i += 1;
    if (i >= s.length || (s.places[i] ?? 0) - end > gapLimit) return undefined;
    const at = s.places[i] ?? 0;
    i += part.length;
    end = (s.places[i - 1] ?? 0) + 1;
    parts.push([at, end]);
  }
  return { ...first, end, parts };
}

const standsAlone = (text: string, s: Squeezed, i: number, length: number): boolean => {
  const at = s.places[i] ?? 0;
  const end = (s.places[i + length - 1] ?? 0) + 1;
  return end - at <= length * 2 + 80 && !/[a-z0-9]/i.test(text[at - 1] ?? '') && !/[a-z]/i.test(text[end] ?? '');
};

const furtherBytes = new Map<string, Uint8Array>();

function partsAsBytes(part: string): Uint8Array {
  const known = furtherBytes.get(part);
  if (known !== undefined) return known;
  const { letters, length } = squeeze(part);
  const bytes = letters.slice(0, length);
  furtherBytes.set(part, bytes);
  return bytes;
}

/** The text without the line breaks that a terminal or a mail client put into it. */
const unwrapped = (text: string): string => (text.includes('\n') ? text.replace(/[ \t]*\r?\n[ \t>|]*/g, '') : text);

function numberAt(text: string, s: Squeezed, i: number, wordLength: number): Hit | undefined {
  const isAadsts = wordLength === 6;
  const at = s.places[i] ?? 0;
  const first = i + wordLength;
  const gap = text.slice((s.places[first - 1] ?? 0) + 1, s.places[first] ?? 0);
  if (gap.length > 40 || !/^[\s>|"'[\]:=#_-]*$/.test(gap)) return undefined;
  const run = digitsFrom(text, s, first);
  // At least five digits. Digits of the next line count only where they make an unknown number a known one, or where the colon follows.
  const whole = run.wrapped === undefined ? run.digits : chosen(run.digits, run.wrapped, text[run.wrappedEnd] === ':');
  const aadsts = Number(whole);
  if (whole.length < 5 || whole.length > 8) return undefined;
  // "errorCode" is said by many programs
  if (!isAadsts && !byNumber.has(aadsts)) return undefined;
  return { kind: 'number', aadsts, at, end: whole === run.digits ? run.end : run.wrappedEnd, listed: !isAadsts };
}

interface Digits {
  readonly digits: string;
  readonly end: number;
  /** with those of the next line */
  readonly wrapped: string | undefined;
  readonly wrappedEnd: number;
}

function digitsFrom(text: string, { letters, places, length }: Squeezed, first: number): Digits {
  let digits = '';
  let wrapped: string | undefined;
  let [end, wrappedEnd] = [0, 0];
  for (let i = first; i < length && i < first + 10; i += 1) {
    const digit = letters[i] ?? 10;
    if (digit > 9) break;
    const place = places[i] ?? 0;
    const gap = i === first ? '' : text.slice((places[i - 1] ?? 0) + 1, place);
    if (gap !== '' && (wrapped !== undefined || gap.length > 80 || !/^[ \t]*\r?\n[ \t>|]*$/.test(gap))) break;
    if (gap !== '') wrapped = digits;
    if (wrapped === undefined) {
      digits += String(digit);
      end = place + 1;
    } else wrapped += String(digit);
    wrappedEnd = place + 1;
  }
  return { digits, end, wrapped, wrappedEnd };
}

function chosen(digits: string, wrapped: string, colon: boolean): string {
  if (!byNumber.has(Number(wrapped))) return byNumber.has(Number(digits)) || digits.length >= 5 ? digits : wrapped;
  return byNumber.has(Number(digits)) && !colon ? digits : wrapped;
}

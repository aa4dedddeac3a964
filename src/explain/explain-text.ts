import { redact } from '../core/redact.ts';
import { plain } from '../core/text.ts';
import { isEntry } from '../errors/recognise/needles.ts';
import { createRecogniser, ofNumber, type Recognised } from '../errors/recognise/recognise.ts';
import { answered, type Finding, type Unknown } from './answered.ts';
import { cutBefore, readable } from './decode.ts';
import type { Explained, Known } from './fill.ts';
import { createTitleReader, printedTitles } from './printed.ts';

export interface Explanation {
  /** what was asked, cut to `inputLimit`, without secrets and control characters */
  readonly input: string;
  /** each entry once, in the order of appearance */
  readonly entries: readonly Explained[];
  readonly unknown: readonly Unknown[];
}

const inputLimit = 2000;
const unknownLimit = 20;
/** Readable text is looked through in windows of this many characters, each beginning with the end of the one before. */
const windowSize = 512 * 1024;
const overlap = 4096;

interface Filling {
  /** false: no value of the text stands in the entries, for programs act on them, and anybody may have written the text */
  readonly fillIn?: boolean;
}

/** Explains a text of any length, which is read piece by piece, so that memory stays bounded. It makes no network request. */
export async function explain(pieces: AsyncIterable<string> | Iterable<string>, known: Known, filling: Filling = {}): Promise<Explanation> {
  const reader = createReader(known, filling);
  for await (const piece of pieces) reader.take(piece);
  return reader.end();
}

/** The same for a text that is in memory. */
export function explainAtOnce(text: string, known: Known, filling: Filling = {}): Explanation {
  const reader = createReader(known, filling);
  reader.take(text);
  return reader.end();
}

interface Reader {
  take(piece: string): void;
  end(): Explanation;
}

function createReader(known: Known, { fillIn = true }: Filling): Reader {
  const search = createSearch(known);
  let head = '';
  let characters = 0;
  let raw = '';
  let window = '';
  const findings = new Map<string, Finding>();
  const strangers = new Set<string>();
  const note = ({ found, unknown }: Searched): void => {
    for (const [key, finding] of found) if (!findings.has(key)) findings.set(key, finding);
    for (const reply of unknown) if (strangers.size < unknownLimit) strangers.add(shown(reply, reply.length));
  };
  return {
    take(piece) {
      characters += piece.length;
      if (head.length < inputLimit * 4) head += piece.slice(0, inputLimit * 4 - head.length);
      raw += piece;
      // The pieces of a pipe are small, so they are collected until a window is full.
      if (raw.length < windowSize) return;
      const cut = cutBefore(raw);
      window += readable(raw.slice(0, cut));
      raw = raw.slice(cut);
      note(search(window, false));
      window = window.slice(-overlap);
    },
    end() {
      window += readable(raw);
      note(search(window, true));
      const input = shown(head, characters);
      const whole = characters < 8192 ? readable(head) : undefined;
      return { input, ...answered([...findings.values()], [...strangers], { known, fillIn, whole, input }) };
    },
  };
}

interface Searched {
  readonly found: readonly (readonly [string, Finding])[];
  readonly unknown: readonly string[];
}

type Search = (window: string, last: boolean) => Searched;

interface Placed {
  readonly at: number;
  readonly key: string;
  readonly finding: Finding;
}

/** The findings of one window in their order. A log repeats the same line thousands of times, so only the first one is looked at closely. */
function createSearch(known: Known): Search {
  const recognise = createRecogniser();
  const isNew = createSieve();
  const titlesIn = createTitleSearch(known);
  return (window, last) => {
    // What stands at the very end is read again with the next window, together with what follows it.
    const end = last ? window.length : window.length - overlap / 2;
    const { found, unknown } = recognise(window);
    const placed: readonly Placed[] = [
      ...orOneWord(found, window)
        .filter((one) => one.at <= end && isNew(one))
        .map((one) => ({ at: one.at, key: keyOf(one), finding: { ...one, context: contextOf(window, one) } })),
      ...titlesIn(window),
    ];
    return { found: placed.toSorted((a, b) => a.at - b.at).map(({ key, finding }) => [key, finding]), unknown };
  };
}

function createSieve(): (one: Recognised) => boolean {
  const seen = new Set<string>();
  let strangers = 0;
  return (one) => {
    const isStranger = one.code === undefined;
    const key = keyOf(one);
    if (seen.has(key) || (isStranger && strangers >= unknownLimit)) return false;
    seen.add(key);
    if (isStranger) strangers += 1;
    return true;
  };
}

const titleLimit = 200;

function createTitleSearch(known: Known): (window: string) => readonly Placed[] {
  const lines = new Set<string>();
  let read: ReturnType<typeof createTitleReader> | undefined;
  return (window) => {
    const found: Placed[] = [];
    for (const { line, at } of printedTitles(window)) {
      if (lines.has(line) || lines.size >= titleLimit) continue;
      lines.add(line);
      read ??= createTitleReader(known);
      const code = read(line);
      if (code !== undefined) found.push({ at, key: code, finding: { code, means: { sent: 'token' }, context: '', oauth: false } });
    }
    return found;
  };
}

/** The whole text may be nothing but a number or a one-word code of ours. */
function orOneWord(hits: readonly Recognised[], window: string): readonly Recognised[] {
  if (hits.length > 0 || window.length > 400) return hits;
  const words = window.split(/[\s,;]+/).filter((word) => word !== '');
  if (words.length > 0 && words.every((word) => /^\d{5,8}$/.test(word))) {
    return words.map((word) => {
      const at = window.indexOf(word);
      return { code: ofNumber(Number(word), () => false), aadsts: Number(word), at, end: at + word.length, oauth: false };
    });
  }
  const [word = ''] = words;
  const own = words.length === 1 ? word : (/"code"\s{0,4}:\s{0,4}"([a-z]+)"/.exec(window)?.[1] ?? '');
  return isEntry(own) ? [{ code: own, at: 0, end: window.length, oauth: false }] : hits;
}

const keyOf = ({ code, aadsts, oauth }: Recognised): string => (code === undefined ? `AADSTS${aadsts}` : `${oauth ? 'oauth ' : ''}${code}`);

/** The line of a hit, with the lines that go on below it. */
function contextOf(window: string, { at, end }: Recognised): string {
  const from = Math.max(0, at - 500);
  const begin = from + window.slice(from, at).lastIndexOf('\n') + 1;
  const rest = window.slice(end, end + 1500);
  const next = /\n(?![ \t]|Trace ID|Correlation ID|Timestamp)/.exec(rest);
  return window.slice(begin, end + (next?.index ?? rest.length));
}

/** What was asked, for the output. It is masked before it is cut, so that no part of a secret is left. */
function shown(head: string, characters: number): string {
  const clean = plain(redact(head), inputLimit);
  return characters > inputLimit ? `${clean} (${characters} characters in all)` : clean;
}

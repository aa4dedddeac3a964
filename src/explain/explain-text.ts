import { defined } from '../core/defined.ts';
import { lookUp } from '../core/links.ts';
import type { NextStep } from '../core/next.ts';
import { redact } from '../core/redact.ts';
import { plain } from '../core/text.ts';
import type { ProblemCode } from '../errors/problem.ts';
import { firstSentence } from '../oauth/entra-error.ts';
import { cutBefore, readable } from './decode.ts';
import { type Explained, explained, type Known } from './fill.ts';
import { byNumber, isEntry, isOAuthWord } from './needles.ts';
import { createTitleReader, printedTitles } from './printed.ts';
import { createScan, type Hit } from './scan.ts';
import { type Values, valuesIn } from './values.ts';

/** Something that looks like an error's code and is not in the catalogue. */
export interface Unknown {
  /** `AADSTS9999999` */
  readonly code: string;
  readonly title: string;
  /** Microsoft's own sentence, when the text has it */
  readonly why?: string;
  readonly next: readonly NextStep[];
}

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

interface Finding {
  readonly code: ProblemCode | undefined;
  readonly aadsts?: number | undefined;
  readonly means?: Readonly<Record<string, string | number>> | undefined;
  readonly context: string;
  readonly oauth: boolean;
}

/**
 * Explains a text of any length, which is read piece by piece, so that memory stays bounded. It makes no network request. Without `fillIn`,
 * no value of the text stands in the entries: programs act on them, and anybody may have written the text.
 */
export async function explain(
  pieces: AsyncIterable<string> | Iterable<string>,
  known: Known,
  { fillIn = true }: { readonly fillIn?: boolean } = {},
): Promise<Explanation> {
  const search = createSearch(known);
  let head = '';
  let characters = 0;
  let raw = '';
  let window = '';
  const findings = new Map<string, Finding>();
  const note = (found: readonly (readonly [string, Finding])[]): void => {
    for (const [key, finding] of found) if (!findings.has(key)) findings.set(key, finding);
  };
  for await (const piece of pieces) {
    characters += piece.length;
    if (head.length < inputLimit * 4) head += piece.slice(0, inputLimit * 4 - head.length);
    raw += piece;
    // The pieces of a pipe are small, so they are collected until a window is full.
    if (raw.length < windowSize) continue;
    const cut = cutBefore(raw);
    window += readable(raw.slice(0, cut));
    raw = raw.slice(cut);
    note(search(window, false));
    window = window.slice(-overlap);
  }
  window += readable(raw);
  note(search(window, true));
  return {
    input: shown(head, characters),
    ...answered([...findings.values()], { known, fillIn, whole: characters < 8192 ? readable(head) : undefined }),
  };
}

type Search = (window: string, last: boolean) => readonly (readonly [string, Finding])[];

interface Placed {
  readonly at: number;
  readonly key: string;
  readonly finding: Finding;
}

/** The findings of one window in their order. A log repeats the same line thousands of times, so only the first one is looked at closely. */
function createSearch(known: Known): Search {
  const scan = createScan();
  const isNew = createSieve();
  const titlesIn = createTitleSearch(known);
  return (window, last) => {
    // What stands at the very end is read again with the next window, together with what follows it.
    const end = last ? window.length : window.length - overlap / 2;
    const found: readonly Placed[] = [
      ...hitsOf(window, scan)
        .filter((hit) => hit.at <= end && isNew(hit))
        .map((hit) => ({ at: hit.at, key: keyOf(hit), finding: findingOf(hit, window) })),
      ...titlesIn(window),
    ];
    return found.toSorted((a, b) => a.at - b.at).map(({ key, finding }) => [key, finding]);
  };
}

function createSieve(): (hit: Hit) => boolean {
  const seen = new Set<string>();
  let strangers = 0;
  return (hit) => {
    const isStranger = hit.kind === 'number' && !byNumber.has(hit.aadsts);
    const key = keyOf(hit);
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
      if (code !== undefined) found.push({ at, key: code, finding: { code, context: '', oauth: false } });
    }
    return found;
  };
}

/** The whole text may be nothing but a number or a one-word code of ours. */
function hitsOf(window: string, scan: (text: string) => readonly Hit[]): readonly Hit[] {
  const hits = scan(window);
  if (hits.length > 0 || window.length > 400) return hits;
  const words = window.split(/[\s,;]+/).filter((word) => word !== '');
  if (words.length > 0 && words.every((word) => /^\d{5,8}$/.test(word))) {
    return words.map((word) => ({
      kind: 'number',
      aadsts: Number(word),
      at: window.indexOf(word),
      end: window.indexOf(word) + word.length,
    }));
  }
  const [word = ''] = words;
  const own = words.length === 1 ? word : (/"code"\s{0,4}:\s{0,4}"([a-z]+)"/.exec(window)?.[1] ?? '');
  return isEntry(own) ? [{ kind: 'sign', at: 0, end: window.length, needle: { entry: own, letters: own, hint: false } }] : hits;
}

function findingOf(hit: Hit, window: string): Finding {
  const context = contextOf(window, hit);
  if (hit.kind === 'number') return { code: byNumber.get(hit.aadsts), aadsts: hit.aadsts, context, oauth: false };
  return { code: hit.needle.entry, means: hit.needle.means, context, oauth: isOAuthWord(hit.needle) };
}

const keyOf = (hit: Hit): string => {
  if (hit.kind === 'number') return byNumber.get(hit.aadsts) ?? `AADSTS${hit.aadsts}`;
  return `${isOAuthWord(hit.needle) ? 'oauth ' : ''}${hit.needle.entry}`;
};

/** The line of a hit, with the lines that go on below it. */
function contextOf(window: string, { at, end }: Hit): string {
  const from = Math.max(0, at - 500);
  const begin = from + window.slice(from, at).lastIndexOf('\n') + 1;
  const rest = window.slice(end, end + 1500);
  const next = /\n(?![ \t]|Trace ID|Correlation ID|Timestamp)/.exec(rest);
  return window.slice(begin, end + (next?.index ?? rest.length));
}

interface About {
  readonly known: Known;
  readonly fillIn: boolean;
  /** all of a short text: with one error in it, every value in it is that error's */
  readonly whole: string | undefined;
}

function answered(all: readonly Finding[], { known, fillIn, whole }: About): Pick<Explanation, 'entries' | 'unknown'> {
  const numbered = all.some(({ aadsts }) => aadsts !== undefined);
  const findings = all.filter(({ oauth }) => !(oauth && numbered));
  const entries = new Map<ProblemCode, Explained>();
  const unknown: Unknown[] = [];
  for (const { code, aadsts, means, context } of findings) {
    const text = findings.length === 1 && whole !== undefined ? whole : context;
    if (code === undefined) {
      if (aadsts !== undefined) unknown.push(unknownNumber(aadsts, text));
    } else if (!entries.has(code)) {
      const one = filled(code, { aadsts, means, values: fillIn ? valuesIn(text) : {} }, known);
      if (one !== undefined) entries.set(code, one);
    }
  }
  return { entries: [...entries.values()], unknown };
}

interface Evidence extends Pick<Finding, 'aadsts' | 'means'> {
  readonly values: Values;
}

function filled(code: ProblemCode, { aadsts, means, values }: Evidence, known: Known): Explained | undefined {
  const { correlationId, at } = values;
  const detail = {
    ...defined({ aadsts, correlationId, at }),
  };
  return explained(code, { ...values, aadsts, ...means }, known, detail);
}

function unknownNumber(aadsts: number, context: string): Unknown {
  const [, said = ''] = new RegExp(`AADSTS\\s{0,9}${aadsts}:? ?([\\s\\S]{0,1000})`).exec(context) ?? [];
  const sentence = redact(firstSentence(said));
  return {
    code: `AADSTS${aadsts}`,
    title: `AADSTS${aadsts} is not known to mailauth`,
    ...(sentence === '' ? {} : { why: `Microsoft says: ${sentence}` }),
    next: [lookUp(aadsts)],
  };
}

/** What was asked, for the output. It is masked before it is cut, so that no part of a secret is left. */
function shown(head: string, characters: number): string {
  const clean = plain(redact(head), inputLimit);
  return characters > inputLimit ? `${clean} (${characters} characters in all)` : clean;
}

import { aadstsEntries } from '../catalogue/entra/entra-errors.ts';
import type { ProblemCode } from '../problem.ts';
import type { Hit, NumberHit, SignHit } from './hit.ts';
import { byNumber, isOAuthWord } from './needles.ts';
import { foreignProvider, isOfMail, mayBeForeign } from './provider.ts';
import { createScan } from './scan.ts';
import { unknownReplies } from './unknown-replies.ts';

/** What stands at one place of a text. */
export interface Recognised {
  /** undefined: a number of Microsoft's that the catalogue does not have */
  readonly code: ProblemCode | undefined;
  readonly aadsts?: number | undefined;
  /** blanks that the words themselves fill */
  readonly means?: Readonly<Record<string, string | number>> | undefined;
  readonly at: number;
  readonly end: number;
  /** nothing but an OAuth error (RFC 6749 section 5.2) */
  readonly oauth: boolean;
}

export interface Recognition {
  /** in the order of the text */
  readonly found: readonly Recognised[];
  /** replies of servers in which nothing was recognised */
  readonly unknown: readonly string[];
}

/** Entries that say more than the number in front of their sentence. */
const ofSignIn: ReadonlySet<string> = new Set([...Object.keys(aadstsEntries), 'graph-quota']);

export const isOfSignIn = (code: ProblemCode | undefined): boolean => code !== undefined && ofSignIn.has(code);

/**
 * The one recogniser of `explain` and of the live commands. A sentence says more than a code, and a code more than a class of codes. Of
 * several AADSTS numbers in one message, the last is the reason ("AADSTS70002: Error validating credentials. AADSTS70000: …").
 */
export function createRecogniser(): (text: string) => Recognition {
  const scan = createScan();
  return (text) => {
    const { hits, all } = scan(text);
    const numbers = lastOfEach(hits, text);
    const taken = new Set<Hit>();
    const places = new Map(hits.map((hit, i) => [hit, i]));
    const isForeign = mayBeForeign(text);
    const found: Recognised[] = numbers.map((hit) => {
      const { aadsts } = hit;
      const sentences = sentencesOf(hit, hits, (places.get(hit) ?? hits.length) + 1, text);
      for (const one of sentences) taken.add(one);
      const byItself = ofNumber(aadsts, () => isInvalidGrant(hit, text));
      const sentence = sentences.find(({ needle }) => needle.entry === byItself || byItself === undefined || manyMeanings.has(aadsts));
      const { at, end } = hit;
      const code = sentence?.needle.entry ?? byItself;
      return { code, aadsts, means: sentence?.needle.means, at, end, oauth: false };
    });
    for (const hit of hits) if (hit.kind === 'sign' && !taken.has(hit)) found.push(ofSign(hit, isForeign ? text : undefined));
    return { found: found.toSorted((a, b) => a.at - b.at), unknown: unknownReplies(text, all) };
  };
}

/** "Request is malformed or invalid": with `invalid_grant`, it is the refresh token or the code that is no longer good. */
const malformed = 9002313;

/** What an AADSTS number means. */
export const ofNumber = (aadsts: number, invalidGrant: () => boolean): ProblemCode | undefined =>
  aadsts === malformed && invalidGrant() ? 'sign-in-expired' : byNumber.get(aadsts);

let recogniser: ReturnType<typeof createRecogniser> | undefined;

/** The first of these entries that the words of a server mean, with the blanks that the words fill. */
export function recognised<C extends ProblemCode>(
  words: string,
  among: readonly C[],
): { readonly code: C; readonly means: Readonly<Record<string, string | number>> } | undefined {
  recogniser ??= createRecogniser();
  for (const { code, means = {} } of recogniser(words).found) {
    const one = among.find((candidate) => candidate === code);
    if (one !== undefined) return { code: one, means };
  }
  return undefined;
}

/**
 * The reason in an answer of Entra: by the sentence of its description, by the last number that is known, which may stand only in its list of
 * numbers (`error_codes`); undefined where only the OAuth error is known.
 */
export function reasonOf<C extends ProblemCode>(
  description: string,
  listed: readonly number[],
  error: string,
  isCandidate: (code: string) => code is C,
): { readonly code: C; readonly aadsts?: number } | undefined {
  recogniser ??= createRecogniser();
  const { found } = recogniser(description);
  const said = found.findLast(({ aadsts }) => aadsts !== undefined && byNumber.has(aadsts)) ?? found.find(({ oauth }) => !oauth);
  const numbers = [...(said?.aadsts === undefined ? listed : [said.aadsts])].reverse();
  const isInvalid = () => error === 'invalid_grant';
  // The grant is named beside the description.
  if (said?.code !== undefined && isCandidate(said.code) && said.aadsts !== malformed) {
    const [aadsts] = numbers;
    return { code: said.code, ...(aadsts === undefined ? {} : { aadsts }) };
  }
  for (const aadsts of numbers) {
    const code = ofNumber(aadsts, isInvalid);
    if (code !== undefined && isCandidate(code)) return { code, aadsts };
  }
  return undefined;
}

/** `text`: where somebody else's mail server may speak in it */
function ofSign({ needle, at, end }: SignHit, text: string | undefined): Recognised {
  const oauth = isOAuthWord(needle);
  if (text !== undefined && isOfMail(needle.entry)) {
    const provider = foreignProvider(text.slice(Math.max(0, at - 300), end + 300));
    if (provider !== undefined) return { code: 'mail-server-foreign', means: { provider }, at, end, oauth };
  }
  return { code: needle.entry, means: needle.means, at, end, oauth };
}

/** "Error validating credentials": it says only that a second number follows. */
const frame = 70002;

/** The numbers that count: the last one of each message, and a number of a list only where no sentence has it. */
function lastOfEach(hits: readonly Hit[], text: string): readonly NumberHit[] {
  const all = hits.filter((hit) => hit.kind === 'number').map((hit) => (hit.listed ? lastOfList(hit, text) : hit));
  const told = new Set(all.flatMap((hit) => (hit.listed ? [] : [hit.aadsts])));
  const single = all.filter((hit) => !hit.listed || !told.has(hit.aadsts));
  return single.filter((hit, i) => {
    const next = single[i + 1];
    if (next === undefined || next.at - hit.end > 400 || (next.listed && !hit.listed)) return true;
    if (hit.aadsts === frame) return false;
    return text.slice(hit.end, next.at).includes('\n') || !byNumber.has(next.aadsts) || next.aadsts === hit.aadsts;
  });
}

/** `"error_codes":[70002,70000]` */
function lastOfList(hit: NumberHit, text: string): NumberHit {
  const [more = ''] = /^(?:\s{0,9},\s{0,9}\d{4,8}\b){0,9}/.exec(text.slice(hit.end, hit.end + 200)) ?? [];
  const known = [...more.matchAll(/\d+/g)].map(([digits]) => Number(digits)).filter((number) => byNumber.has(number));
  return { ...hit, aadsts: known.at(-1) ?? hit.aadsts, end: hit.end + more.length };
}

/** Numbers that Microsoft gives for several causes: there the sentence says which. Any other number says more than its sentence. */
const manyMeanings: ReadonlySet<number> = new Set([50012, 50013, 70000, 90023, 90093, 500011]);

/** The sentences of the sign-in in the message of a number. */
function sentencesOf(hit: NumberHit, hits: readonly Hit[], from: number, text: string): readonly SignHit[] {
  const found: SignHit[] = [];
  for (let i = from; i < hits.length; i += 1) {
    const one = hits[i];
    if (one === undefined || one.kind === 'number' || one.at - hit.end > 600) break;
    if (one.needle.weight !== 'sign' || one.needle.exact !== undefined || !isOfSignIn(one.needle.entry)) continue;
    if (/\n(?![ \t])/.test(text.slice(hit.end, one.at))) break;
    found.push(one);
  }
  return found;
}

const isInvalidGrant = ({ at, end }: NumberHit, text: string): boolean =>
  /\binvalid_grant\b/.test(text.slice(Math.max(0, at - 600), end + 600));

import { catalogue } from '#catalogue';
import { defined } from '../core/defined.ts';
import type { Entry } from '../errors/entry/entry.ts';
import { type ProblemCode, squeezed } from '../errors/problem.ts';

/** One sign of one entry, as it is searched for. */
export interface Needle {
  readonly entry: ProblemCode;
  /** squeezed; at least three characters */
  readonly letters: string;
  /** a code must stand there exactly and alone; of a sentence only letters and digits count */
  readonly exact?: { readonly text: string; readonly open: boolean };
  /** counts only where nothing more exact stands near */
  readonly hint: boolean;
  readonly means?: Readonly<Record<string, string | number>>;
}

/** The entries of the catalogue. A lookup by a generic key loses the type of each entry's blanks, so they are unknown here. */
export const entries = Object.entries(catalogue) as unknown as readonly (readonly [ProblemCode, Entry<unknown>])[];

export const isEntry = (word: string): word is ProblemCode => entries.some(([code]) => code === word);

/** An OAuth error (RFC 6749 section 5.2): a number of Microsoft's says more. */
export const isOAuthWord = (needle: Needle): boolean => needle.hint && /^[a-z]+(?:_[a-z]+)+$/.test(needle.exact?.text ?? '');

export function allNeedles(): readonly Needle[] {
  return entries.flatMap(([entry, { codes = [], says = [], hints = [] }]) => [
    // mailauth's own codes. One without a hyphen could be an ordinary English word.
    ...(entry.includes('-') ? [word(entry, entry, false)] : []),
    ...codes.map((code) =>
      typeof code === 'string' ? word(entry, code, false) : { ...word(entry, code.words, false), ...defined({ means: code.means }) },
    ),
    ...says.map((one) =>
      typeof one === 'string'
        ? { entry, letters: squeezed(one), hint: false }
        : { entry, letters: squeezed(one.words), hint: false, ...defined({ means: one.means }) },
    ),
    ...hints.map((hint) => (hint.includes(' ') ? { entry, letters: squeezed(hint), hint: true } : word(entry, hint, true))),
  ]);
}

function word(entry: ProblemCode, code: string, hint: boolean): Needle {
  const open = code.endsWith('*');
  const text = (open ? code.slice(0, -1) : code).toLowerCase();
  return { entry, letters: squeezed(text), exact: { text, open }, hint };
}

/** AADSTS numbers and the entries they mean. */
export const byNumber: ReadonlyMap<number, ProblemCode> = new Map(
  entries.flatMap(([code, { aadsts = [] }]) => aadsts.map((number) => [number, code] as const)),
);

import { catalogue } from '#catalogue';
import { defined } from '../../core/defined.ts';
import type { Entry, Said } from '../entry/entry.ts';
import { type ProblemCode, squeezed } from '../problem.ts';

/** One sign of one entry, as it is searched for. */
export interface Needle {
  readonly entry: ProblemCode;
  /** squeezed; at least three characters; of a sentence with gaps what stands before the first */
  readonly letters: string;
  /** squeezed: what stands behind each gap */
  readonly further?: readonly string[];
  /** a code must stand there exactly and alone; of a sentence only letters and digits count */
  readonly exact?: { readonly text: string; readonly open: boolean };
  readonly weight: Weight;
  readonly means?: Readonly<Record<string, string | number>>;
}

/** `hint`: counts only where nothing more exact stands near; `follows`: only where nothing was recognised before it */
type Weight = 'sign' | 'hint' | 'follows';

/** The entries of the catalogue. A lookup by a generic key loses the type of each entry's blanks, so they are unknown here. */
export const entries = Object.entries(catalogue) as unknown as readonly (readonly [ProblemCode, Entry<unknown>])[];

export const isEntry = (word: string): word is ProblemCode => entries.some(([code]) => code === word);

/** An OAuth error (RFC 6749 section 5.2): a number or a sentence of Microsoft's says more. */
export const isOAuthWord = (needle: Needle): boolean => needle.weight === 'hint' && /^[a-z]+(?:_[a-z]+)+$/.test(needle.exact?.text ?? '');

export function allNeedles(): readonly Needle[] {
  return entries.flatMap(([entry, { codes = [], says = [], hints = [], follows = [] }]) => [
    // mailauth's own codes. One without a hyphen could be an ordinary English word.
    ...(entry.includes('-') ? [word(entry, entry, 'sign')] : []),
    ...codes.map((one) => meaning(one, (text) => word(entry, text, 'sign'))),
    ...says.map((one) => meaning(one, (text) => sentence(entry, text, 'sign'))),
    ...hints.map((one) => meaning(one, (text) => either(entry, text, 'hint'))),
    ...follows.map((one) => meaning(one, (text) => either(entry, text, 'follows'))),
  ]);
}

function meaning(one: string | Said, needle: (text: string) => Needle): Needle {
  return typeof one === 'string' ? needle(one) : { ...needle(one.words), ...defined({ means: one.means }) };
}

const either = (entry: ProblemCode, text: string, weight: Weight): Needle =>
  text.includes(' ') ? sentence(entry, text, weight) : word(entry, text, weight);

function sentence(entry: ProblemCode, text: string, weight: Weight): Needle {
  const [letters = '', ...further] = text.split('…').map(squeezed);
  return { entry, letters, weight, ...(further.length === 0 ? {} : { further }) };
}

function word(entry: ProblemCode, code: string, weight: Weight): Needle {
  const open = code.endsWith('*');
  const text = (open ? code.slice(0, -1) : code).toLowerCase();
  return { entry, letters: squeezed(text), exact: { text, open }, weight };
}

/** AADSTS numbers and the entries they mean. */
export const byNumber: ReadonlyMap<number, ProblemCode> = new Map(
  entries.flatMap(([code, { aadsts = [] }]) => aadsts.map((number) => [number, code] as const)),
);
